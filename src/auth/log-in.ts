import type { Credential, Credentials } from './credentials.ts';
import type { PasswordHashes } from './password-hashes.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Registration } from './registration.ts';
import { AuthenticationFailed } from './session.ts';

export interface LogInAttempt {
  /** Normalised, see `EmailAddress`. */
  email: string;
  password: string;
  /** Where it comes from: failures are counted by account and address, so that a stranger locks nobody out. */
  address: string;
}

/** The credential that the password opens. Throws `AuthenticationFailed`, `RateLimited` and `PasswordQueueFull`. */
export type LogIn = (attempt: LogInAttempt) => Promise<Credential>;

/** A wrong address and a wrong password cost and answer the same. */
export function createLogIn({
  credentials,
  hashes,
  registration,
  rateLimits,
}: {
  credentials: Credentials;
  hashes: PasswordHashes;
  registration: Registration;
  rateLimits: RateLimits;
}): LogIn {
  return async function logIn({ email, password, address }) {
    const counter = `${email} ${address}`;
    await rateLimits.check('failed-logins', counter);
    const credential = await credentials.ofEmail(email);

    await hashes.inTurn(async () => {
      // Once more: a burst of guesses must not all pass the check before the first of them has failed.
      await rateLimits.check('failed-logins', counter);
      if (await hashes.verify(password, credential?.passwordHash)) return;
      await rateLimits.consume('failed-logins', counter);
      throw new AuthenticationFailed('BAD_CREDENTIALS');
    });

    if (!credential) throw new AuthenticationFailed('BAD_CREDENTIALS');
    await registration.complete(credential);
    if (hashes.isOutdated(credential.passwordHash)) {
      const renewed = await hashes.inTurn(() => hashes.hash(password));
      await credentials.changePasswordHash(credential.userId, renewed);
    }
    return credential;
  };
}
