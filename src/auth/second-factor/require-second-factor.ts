import type { Actor } from '../../commands/command.ts';
import type { Credentials } from '../credentials.ts';
import { SecondFactorRefused } from './second-factors.ts';

/** Resolves when the actor may act. Throws `SecondFactorRefused` when a second factor has to be set up first. */
export type RequireSecondFactor = (actor: Actor) => Promise<void>;

/**
 * Creates the check that keeps auditors out until they have a second factor, if `isRequired`. It asks the
 * table and not the token, so that it lets them in at once.
 */
export function createRequireSecondFactor({
  credentials,
  isRequired,
}: {
  credentials: Pick<Credentials, 'ofUser'>;
  isRequired: boolean;
}): RequireSecondFactor {
  return async function requireSecondFactor({ userId, role }) {
    if (!isRequired || role !== 'auditor') return;
    const credential = await credentials.ofUser(userId);
    if (!credential?.hasSecondFactor) throw new SecondFactorRefused('SECOND_FACTOR_REQUIRED');
  };
}
