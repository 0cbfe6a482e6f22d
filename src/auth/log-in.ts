import type { CheckPassword, PasswordAttempt } from './passwords/check-password.ts';
import type { Credential, Credentials } from './credentials.ts';
import type { PasswordHashes } from './passwords/password-hashes.ts';
import type { Registration } from './registration.ts';
import type { SecondFactors } from './second-factor/second-factors.ts';
import { AuthenticationFailed } from './session.ts';

/** `code` is one of the account's second factor, if it has one. */
export type LogInAttempt = PasswordAttempt & { code?: string | undefined };

/**
 * Resolves with the credential that the password opens, with the code where the account has a second factor.
 * Throws `AuthenticationFailed`, `RateLimited` and `PasswordQueueFull`.
 */
export type LogIn = (attempt: LogInAttempt) => Promise<Credential>;

/**
 * Creates the login. A wrong address and a wrong password cost the same and get the same answer. Only after
 * the right password does it tell that there is a second factor, and only after that one that the account is
 * suspended.
 */
export function createLogIn({
  credentials,
  hashes,
  registration,
  checkPassword,
  secondFactors,
}: {
  credentials: Pick<Credentials, 'ofEmail' | 'renewPasswordHash'>;
  hashes: Pick<PasswordHashes, 'limited' | 'hash'>;
  registration: Pick<Registration, 'complete'>;
  checkPassword: CheckPassword;
  secondFactors: Pick<SecondFactors, 'prove'>;
}): LogIn {
  return async function logIn(attempt) {
    const { email, password, code, address } = attempt;
    const opened = await checkPassword(attempt, () => credentials.ofEmail(email));
    if (!opened) throw new AuthenticationFailed('BAD_CREDENTIALS');
    const { credential, isOutdated } = opened;
    await secondFactors.prove(credential, { code, address });
    if (credential.isSuspended) throw new AuthenticationFailed('ACCOUNT_SUSPENDED');
    await registration.complete(credential);
    if (isOutdated) {
      const renewed = await hashes.limited(() => hashes.hash(password));
      await credentials.renewPasswordHash(credential, renewed);
    }
    return credential;
  };
}
