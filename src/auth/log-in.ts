import type { CheckPassword, PasswordAttempt } from './passwords/check-password.ts';
import type { Credential, Credentials } from './credentials.ts';
import type { PasswordHashes } from './passwords/password-hashes.ts';
import type { Registration } from './registration.ts';
import { AuthenticationFailed } from './session.ts';

/**
 * Resolves with the credential that the password opens. Throws `AuthenticationFailed`, `RateLimited` and
 * `PasswordQueueFull`.
 */
export type LogIn = (attempt: PasswordAttempt) => Promise<Credential>;

/** Creates the login. A wrong address and a wrong password cost the same and get the same answer. */
export function createLogIn({
  credentials,
  hashes,
  registration,
  checkPassword,
}: {
  credentials: Pick<Credentials, 'ofEmail' | 'renewPasswordHash'>;
  hashes: Pick<PasswordHashes, 'limited' | 'hash'>;
  registration: Pick<Registration, 'complete'>;
  checkPassword: CheckPassword;
}): LogIn {
  return async function logIn(attempt) {
    const { email, password } = attempt;
    const opened = await checkPassword(attempt, () => credentials.ofEmail(email));
    if (!opened) throw new AuthenticationFailed('BAD_CREDENTIALS');
    const { credential, isOutdated } = opened;
    await registration.complete(credential);
    if (isOutdated) {
      const renewed = await hashes.limited(() => hashes.hash(password));
      await credentials.renewPasswordHash(credential, renewed);
    }
    return credential;
  };
}
