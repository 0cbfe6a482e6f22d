import type { Actor } from '../../commands/command.ts';
import type { Role } from '../../events/account.ts';
import type { Credentials } from '../credentials.ts';
import { SecondFactorRefused } from './second-factors.ts';

/** Resolves when the actor may act. Throws `SecondFactorRefused` when a second factor has to be set up first. */
export type RequireSecondFactor = (actor: Actor) => Promise<void>;

/**
 * Creates the check that keeps people of some roles out until they have a second factor. It asks the table and
 * not the token, so that it lets them in at once.
 */
export function createRequireSecondFactor({
  credentials,
  roles,
}: {
  credentials: Pick<Credentials, 'ofUser'>;
  roles: readonly Role[];
}): RequireSecondFactor {
  return async function requireSecondFactor({ userId, role }) {
    if (!roles.includes(role)) return;
    const credential = await credentials.ofUser(userId);
    if (!credential?.hasSecondFactor) throw new SecondFactorRefused('SECOND_FACTOR_REQUIRED');
  };
}
