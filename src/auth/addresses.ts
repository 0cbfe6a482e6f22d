import type { UserId } from '../events/ids.ts';
import type { AccountTokens } from './tokens/account-tokens.ts';
import type { CheckPassword } from './passwords/check-password.ts';
import {
  type Credential,
  type Credentials,
  EmailTaken,
  LinkTokenInvalid,
  WrongPassword,
} from './credentials.ts';
import type { RateLimits } from '../protocol/rate-limits.ts';

/** Verification of e-mail addresses. Opening the link of a letter to an address proves it. */
export interface Addresses {
  /**
   * Sends the verification letter again. Resolves with false when there is nothing to verify, or after three
   * letters a day.
   */
  sendAgain(userId: UserId): Promise<boolean>;
  /**
   * Sends a verification letter to the new address; the account keeps the present one until it is confirmed.
   * Throws `WrongPassword`, `RateLimited` and `EmailTaken`.
   */
  change(userId: UserId, asked: { email: string; password: string; address: string }): Promise<void>;
  /** Resolves with the user and the address that the token proves. Throws `LinkTokenInvalid`. */
  provenBy(token: string): Promise<{ userId: UserId; address: string }>;
  /**
   * Marks the address as verified and makes it the account's own. May be repeated. Throws `LinkTokenInvalid`
   * and `EmailTaken`.
   */
  confirm(token: string): Promise<void>;
}

export function createAddresses({
  credentials,
  tokens,
  checkPassword,
  rateLimits,
}: {
  credentials: Credentials;
  tokens: AccountTokens;
  checkPassword: CheckPassword;
  rateLimits: Pick<RateLimits, 'consume'>;
}): Addresses {
  async function provenBy(token: string) {
    const opened = tokens.openVerification(token);
    const credential = opened && (await credentials.ofUser(opened.userId));
    const address = credential && [credential.email ?? '', credential.newEmail ?? ''].find(opened.proves);
    if (!address) throw new LinkTokenInvalid();
    return { userId: credential.userId, address };
  }

  return {
    async sendAgain(userId) {
      const address = unproved(await credentials.ofUser(userId));
      return address !== undefined && credentials.sendVerification(userId, address);
    },
    async change(userId, { email, password, address }) {
      const present = await credentials.ofUser(userId);
      const attempt = { email: present?.email ?? userId, password, address };
      const opened = await checkPassword(attempt, async () => present);
      if (!opened) throw new WrongPassword();
      if (email === opened.credential.email) return credentials.keepEmail(userId);
      await rateLimits.consume('address-changes', userId);
      if (await credentials.ofEmail(email)) throw new EmailTaken();
      await credentials.awaitEmail(userId, email);
    },
    provenBy,
    async confirm(token) {
      const { userId, address } = await provenBy(token);
      if (!(await credentials.confirmEmail(userId, address))) throw new LinkTokenInvalid();
    },
  };
}

/** Returns the address that the account waits to have confirmed; a new address goes before the present one. */
const unproved = (credential: Credential | undefined): string | undefined =>
  credential?.newEmail ?? (credential?.emailVerified === false ? (credential.email ?? undefined) : undefined);
