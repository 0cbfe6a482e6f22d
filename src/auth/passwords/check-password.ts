import type { Credential } from '../credentials.ts';
import type { PasswordHashes } from './password-hashes.ts';
import type { RateLimits } from '../../protocol/rate-limits.ts';

export interface PasswordAttempt {
  /** Normalized, see `EmailAddress`. Of an account without one, its id. */
  email: string;
  password: string;
  /**
   * The client's address. Failures are counted by account and address, so that a stranger cannot lock an
   * owner out.
   */
  address: string;
}

/**
 * Resolves with the credential that the password opens, and with whether its hash is outdated; undefined for
 * a wrong password and, at the same cost, when there is no credential. Throws `RateLimited` after too many
 * failures, and `PasswordQueueFull`.
 */
export type CheckPassword = (
  attempt: PasswordAttempt,
  find: () => Promise<Credential | undefined>,
) => Promise<{ credential: Credential; isOutdated: boolean } | undefined>;

export function createCheckPassword({
  hashes,
  rateLimits,
}: {
  hashes: Pick<PasswordHashes, 'limited' | 'verify'>;
  rateLimits: Pick<RateLimits, 'check' | 'consume'>;
}): CheckPassword {
  return async function checkPassword({ email, password, address }, find) {
    const counter = `${email} ${address}`;
    await rateLimits.check('failed-logins', counter);
    const credential = await find();
    return hashes.limited(async () => {
      // Check again: a burst of guesses must not pass the check before the first of them has failed.
      await rateLimits.check('failed-logins', counter);
      const verdict = await hashes.verify(password, credential?.passwordHash ?? undefined);
      if (credential && verdict !== 'wrong') return { credential, isOutdated: verdict === 'outdated' };
      await rateLimits.consume('failed-logins', counter);
      return undefined;
    });
  };
}
