import type { UserId } from '../../events/ids.ts';
import type { RateLimits } from '../../protocol/rate-limits.ts';
import { type Credential, type Credentials, WrongPassword } from '../credentials.ts';
import type { CheckPassword } from '../passwords/check-password.ts';
import type { PasswordHashes } from '../passwords/password-hashes.ts';
import { AuthenticationFailed } from '../session.ts';
import { newRecoveryCodes } from './recovery-codes.ts';
import type { SealedSecrets } from './sealed-secrets.ts';
import { newTotpSecret, otpauthUrl, stepOf } from './totp.ts';

/** The port of the second factors. Secrets arrive encrypted, recovery codes hashed. */
export interface SecondFactorStore {
  /**
   * Stores a secret that is not in use yet, in place of an earlier one. Resolves with false when a second
   * factor is active.
   */
  begin(userId: UserId, sealed: Buffer): Promise<boolean>;
  find(userId: UserId): Promise<{ sealed: Buffer; isActive: boolean } | undefined>;
  /**
   * Takes the secret that waits into use, with new recovery codes, and ends all sessions of the account except
   * `kept`. A login that has opened no session yet opens none. Resolves with the ids of the ended sessions;
   * undefined when another secret waits, or none.
   */
  activate(
    userId: UserId,
    factor: { sealed: Buffer; step: number | null; recoveryCodes: Buffer[]; kept: string | null },
  ): Promise<string[] | undefined>;
  /**
   * Spends the code of a time step, on whichever node it arrives first. Resolves with false when this step or
   * a later one was spent, or the secret is not in use any more.
   */
  spendStep(userId: UserId, sealed: Buffer, step: number): Promise<boolean>;
  /** Spends a recovery code. Resolves with false when the account has no such code. */
  spendRecoveryCode(userId: UserId, hash: Buffer): Promise<boolean>;
  /** Resolves with false when there is nothing to remove. */
  remove(userId: UserId): Promise<boolean>;
  /** Resolves with the number of accounts of the role that have no active second factor. */
  countLacking(role: Credential['role']): Promise<number>;
}

/** What an authenticator app is set up with. It is shown once. */
export interface TotpKey {
  /** In base32. */
  secret: string;
  otpauthUrl: string;
}

/** A code and the client's address: failures are counted by account and address, as those of passwords. */
interface CodeAttempt {
  code: string;
  address: string;
}

/** The second factor of an account: codes of an authenticator app (TOTP, RFC 6238), and recovery codes. */
export interface SecondFactors {
  /**
   * Makes a new secret, which is not in use before it is confirmed. Throws `WrongPassword`, `RateLimited`,
   * `PasswordQueueFull` and `SecondFactorRefused`.
   */
  begin(userId: UserId, asked: { password: string; address: string }): Promise<TotpKey>;
  /**
   * Takes the secret into use with its first code, and ends every session of the account except `kept`.
   * Resolves with the recovery codes. Throws `WrongCode`, `RateLimited`, `PasswordQueueFull` and
   * `SecondFactorRefused`.
   */
  confirm(userId: UserId, asked: CodeAttempt & { kept: string }): Promise<string[]>;
  /** Throws `WrongPassword`, `WrongCode`, `RateLimited`, `PasswordQueueFull` and `SecondFactorRefused`. */
  remove(userId: UserId, asked: CodeAttempt & { password: string }): Promise<void>;
  /**
   * Resolves when the account has no second factor or the code proves it. For logins, after the password was
   * checked. Throws `AuthenticationFailed`, `RateLimited` and `PasswordQueueFull`.
   */
  prove(credential: Credential, attempt: { code: string | undefined; address: string }): Promise<void>;
}

/** The code is none of the account's, or was used before. */
export class WrongCode extends Error {
  override readonly name = 'WrongCode';
}

/** The state of the account's second factor does not allow it. */
export class SecondFactorRefused extends Error {
  override readonly name = 'SecondFactorRefused';
  readonly code: 'TOTP_ENABLED' | 'TOTP_NOT_SET_UP' | 'SECOND_FACTOR_REQUIRED';

  constructor(code: SecondFactorRefused['code']) {
    super(code);
    this.code = code;
  }
}

const TOTP_CODE = /^[0-9]{6}$/;
const compact = (code: string) => code.replaceAll(/[\s-]/g, '').toUpperCase();

/** Returns a new key for the account, with its secret in the form in which it is stored. */
function newKey(
  { userId, email }: Pick<Credential, 'userId' | 'email'>,
  secrets: SealedSecrets,
  issuer: string,
) {
  const secret = newTotpSecret();
  const key: TotpKey = { secret, otpauthUrl: otpauthUrl({ issuer, label: email ?? userId, secret }) };
  return { key, sealed: secrets.seal(userId, secret) };
}

/**
 * Gives the account a second factor that is in use at once, for an operator who hands over the key. Throws
 * `SecondFactorRefused` when one is active.
 */
export async function setUpSecondFactor(
  credential: Pick<Credential, 'userId' | 'email'>,
  { store, secrets, issuer }: { store: SecondFactorStore; secrets: SealedSecrets; issuer: string },
): Promise<TotpKey> {
  const { userId } = credential;
  const { key, sealed } = newKey(credential, secrets, issuer);
  const isWaiting = await store.begin(userId, sealed);
  const factor = { sealed, step: null, recoveryCodes: [], kept: null };
  if (!isWaiting || !(await store.activate(userId, factor))) throw new SecondFactorRefused('TOTP_ENABLED');
  return key;
}

/** Creates the second factors. `issuer` is the name under which authenticator apps show this server. */
export function createSecondFactors({
  store,
  secrets,
  credentials,
  hashes,
  checkPassword,
  rateLimits,
  issuer,
  onEnded,
  now,
}: {
  store: SecondFactorStore;
  secrets: SealedSecrets;
  credentials: Pick<Credentials, 'ofUser'>;
  hashes: Pick<PasswordHashes, 'limited'>;
  checkPassword: CheckPassword;
  rateLimits: Pick<RateLimits, 'check' | 'consume'>;
  issuer: string;
  /** Called at once with every session that ends here. */
  onEnded: (sessionId: string) => void;
  /** In ms since 1970. */
  now: () => number;
}): SecondFactors {
  async function ownerOf(userId: UserId, { password, address }: { password: string; address: string }) {
    const present = await credentials.ofUser(userId);
    const opened = await checkPassword(
      { email: present?.email ?? userId, password, address },
      async () => present,
    );
    if (!opened) throw new WrongPassword();
    return opened.credential;
  }

  /**
   * Resolves with the result of `check`, whose undefined is a failed login. As with passwords, few checks run
   * at a time, so that a burst of guesses does not pass before the first of them has failed.
   */
  async function limited<T>(
    { userId, email }: Pick<Credential, 'userId' | 'email'>,
    address: string,
    check: () => Promise<T | undefined>,
  ) {
    const counter = `${email ?? userId} ${address}`;
    return hashes.limited(async () => {
      await rateLimits.check('failed-logins', counter);
      const found = await check();
      if (found === undefined) await rateLimits.consume('failed-logins', counter);
      return found;
    });
  }

  /** Resolves with true once the code, of either kind, is spent; undefined when it is wrong. */
  async function spend(userId: UserId, written: string): Promise<true | undefined> {
    const code = compact(written);
    if (!TOTP_CODE.test(code))
      return (await store.spendRecoveryCode(userId, secrets.hashOf(userId, code))) || undefined;
    const factor = await store.find(userId);
    if (!factor?.isActive) return undefined;
    const step = stepOf(secrets.open(userId, factor.sealed), code, now());
    return (step !== undefined && (await store.spendStep(userId, factor.sealed, step))) || undefined;
  }

  return {
    async begin(userId, asked) {
      const { key, sealed } = newKey(await ownerOf(userId, asked), secrets, issuer);
      if (!(await store.begin(userId, sealed))) throw new SecondFactorRefused('TOTP_ENABLED');
      return key;
    },
    async confirm(userId, { code: written, address, kept }) {
      const code = compact(written);
      const [credential, factor] = await Promise.all([credentials.ofUser(userId), store.find(userId)]);
      if (!credential || !factor) throw new SecondFactorRefused('TOTP_NOT_SET_UP');
      if (factor.isActive) throw new SecondFactorRefused('TOTP_ENABLED');
      const { sealed } = factor;
      const secret = secrets.open(userId, sealed);
      const step = await limited(credential, address, async () =>
        TOTP_CODE.test(code) ? stepOf(secret, code, now()) : undefined,
      );
      if (step === undefined) throw new WrongCode();
      const codes = newRecoveryCodes();
      const recoveryCodes = codes.map((each) => secrets.hashOf(userId, compact(each)));
      const ended = await store.activate(userId, { sealed, step, recoveryCodes, kept });
      if (!ended) throw new SecondFactorRefused('TOTP_ENABLED');
      ended.forEach(onEnded);
      return codes;
    },
    async remove(userId, { password, code, address }) {
      const credential = await ownerOf(userId, { password, address });
      if (!credential.hasSecondFactor) throw new SecondFactorRefused('TOTP_NOT_SET_UP');
      if (!(await limited(credential, address, () => spend(userId, code)))) throw new WrongCode();
      await store.remove(userId);
    },
    async prove(credential, { code, address }) {
      if (!credential.hasSecondFactor) return;
      if (code === undefined) throw new AuthenticationFailed('TOTP_REQUIRED');
      if (!(await limited(credential, address, () => spend(credential.userId, code))))
        throw new AuthenticationFailed('TOTP_INVALID');
    },
  };
}
