import type { AggregateLoader } from '../commands/aggregate-cache.ts';
import { type ExistingGrant, grantOf, isOpen } from '../commands/audit/grant.ts';
import { ensure } from '../commands/rejection.ts';
import type { GrantId, UserId } from '../events/ids.ts';

/**
 * Resolves with a grant that is open now, by the log. With an auditor, it must be theirs. Throws GRANT_NOT_OPEN
 * for a grant that is unknown, of somebody else, ended or expired.
 */
export async function openGrant(
  loader: Pick<AggregateLoader, 'refresh'>,
  grantId: GrantId,
  { auditorId, now }: { auditorId?: UserId; now: Date },
): Promise<ExistingGrant> {
  const { state } = await loader.refresh(grantOf(grantId));
  ensure(isOpen(state, now), 'GRANT_NOT_OPEN');
  ensure(auditorId === undefined || state.auditorId === auditorId, 'GRANT_NOT_OPEN');
  return state;
}
