import type { UserId } from '../../events/ids.ts';
import type { AccountTokens } from '../tokens/account-tokens.ts';
import type { CheckPassword } from './check-password.ts';
import { namesItsOwner } from './common-passwords.ts';
import {
  type Credential,
  type Credentials,
  LinkTokenInvalid,
  OwnersPassword,
  WrongPassword,
} from '../credentials.ts';
import type { PasswordHashes } from './password-hashes.ts';

/** Changes a password, with the present one or with a letter. */
export interface Passwords {
  /**
   * Changes the password and ends every session of the account except `kept`. Throws `WrongPassword`,
   * `RateLimited`, `PasswordQueueFull` and `OwnersPassword`.
   */
  change(
    userId: UserId,
    asked: { currentPassword: string; newPassword: string; address: string; kept: string },
  ): Promise<void>;
  /** Resolves when the password is the account's. Throws `WrongPassword`, `RateLimited` and `PasswordQueueFull`. */
  confirm(userId: UserId, asked: { password: string; address: string }): Promise<void>;
  /** Sends a letter to the address if it belongs to an account. Takes the same time if it does not. */
  forgotten(email: string): Promise<void>;
  /** Throws `LinkTokenInvalid` unless the token can still reset a password. */
  requireReset(token: string): Promise<void>;
  /**
   * Resets the password once, and ends every session. Throws `LinkTokenInvalid`, `PasswordQueueFull` and
   * `OwnersPassword`.
   */
  reset(token: string, password: string): Promise<void>;
}

export function createPasswords({
  credentials,
  hashes,
  tokens,
  checkPassword,
  onEnded,
}: {
  credentials: Credentials;
  hashes: Pick<PasswordHashes, 'limited' | 'hash'>;
  tokens: AccountTokens;
  checkPassword: CheckPassword;
  /** Called at once with every session that ends here. */
  onEnded: (sessionId: string) => void;
}): Passwords {
  async function hashFor(
    owner: Credential,
    password: string,
    field: OwnersPassword['field'],
  ): Promise<string> {
    if (namesItsOwner(password, owner)) throw new OwnersPassword(field);
    return hashes.limited(() => hashes.hash(password));
  }

  async function openReset(token: string): Promise<{ letterId: string; owner: Credential }> {
    const letterId = tokens.openReset(token);
    const owner = letterId === undefined ? undefined : await credentials.ofReset(letterId);
    if (letterId === undefined || !owner) throw new LinkTokenInvalid();
    return { letterId, owner };
  }

  async function confirmed(
    userId: UserId,
    { password, address }: { password: string; address: string },
  ): Promise<Credential> {
    const present = await credentials.ofUser(userId);
    const attempt = { email: present?.email ?? userId, password, address };
    const opened = await checkPassword(attempt, async () => present);
    if (!opened) throw new WrongPassword();
    return opened.credential;
  }

  return {
    async change(userId, { currentPassword, newPassword, address, kept }) {
      const credential = await confirmed(userId, { password: currentPassword, address });
      const passwordHash = await hashFor(credential, newPassword, 'newPassword');
      const only = { version: credential.passwordVersion, kept };
      const ended = await credentials.replacePassword(userId, passwordHash, only);
      if (!ended) throw new WrongPassword();
      ended.forEach(onEnded);
    },
    async confirm(userId, asked) {
      await confirmed(userId, asked);
    },
    forgotten: (email) => credentials.sendReset(email),
    async requireReset(token) {
      await openReset(token);
    },
    async reset(token, password) {
      const { letterId, owner } = await openReset(token);
      const passwordHash = await hashFor(owner, password, 'password');
      const ended = await credentials.resetPassword(letterId, passwordHash);
      if (!ended) throw new LinkTokenInvalid();
      ended.forEach(onEnded);
    },
  };
}
