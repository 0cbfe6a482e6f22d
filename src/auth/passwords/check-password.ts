import type { Credential } from '../credentials.ts';
import type { PasswordHashes } from './password-hashes.ts';
import type { RateLimits } from '../../protocol/rate-limits.ts';

export interface PasswordAttempt {
  /** Normalised, see `EmailAddress`. */
  email: string;
  password: string;
  /** Where it comes from: failures are counted by account and address, so that a stranger locks nobody out. */
  address: string;
}

/**
 * The credential that the password opens, and whether its hash is to be made anew; undefined for a wrong password and,
 * at the same cost, for none to open. Throws `RateLimited` after too many failures, and `PasswordQueueFull`.
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
      // Once more: a burst of guesses must not all pass the check before the first of them has failed.
      await rateLimits.check('failed-logins', counter);
      const verdict = await hashes.verify(password, credential?.passwordHash);
      if (credential && verdict !== 'wrong') return { credential, isOutdated: verdict === 'outdated' };
      await rateLimits.consume('failed-logins', counter);
      return undefined;
    });
  };
}
