import { createInvitations } from '../auth/invitations.ts';
import { createAccountTokens } from '../auth/tokens/account-tokens.ts';
import type { SignedLinks } from '../auth/tokens/signed-links.ts';
import type { AggregateLoader } from '../commands/aggregate-cache.ts';
import type { HandleCommand } from '../commands/handle-command.ts';
import { createOneAtATime } from '../commands/one-at-a-time.ts';
import type { EventStore } from '../events/event-store.ts';
import { newId } from '../kit/uuids.ts';
import type { RateLimits } from '../protocol/rate-limits.ts';
import { type Progress, caughtUp } from '../projections/projection.ts';
import type { bindQueries } from '../queries/queries.ts';
import { createInvitationStore } from '../adapters/postgres/tables/invitations.ts';
import type { DatabaseParts } from './log.ts';

/** Opens the invitations to companies. */
export function openInvitations({
  pool,
  store,
  loader,
  handle,
  links,
  progress,
  queries,
  rateLimits,
}: Pick<DatabaseParts, 'pool'> & {
  store: EventStore;
  loader: AggregateLoader;
  handle: HandleCommand;
  links: SignedLinks;
  progress: Progress;
  queries: ReturnType<typeof bindQueries>;
  rateLimits: RateLimits;
}) {
  return createInvitations({
    store: createInvitationStore(pool),
    tokens: createAccountTokens(links),
    async bondsOf(userId) {
      await caughtUp(progress, await store.head(), ['chat_groups', 'jobs']);
      const [companyId, hasJobs] = await Promise.all([
        queries.companyOfUser(userId),
        queries.hasJobs(userId),
      ]);
      return { companyId, hasJobs };
    },
    ...{ loader, handle, rateLimits, newId },
    oneAtATime: createOneAtATime(),
    now: () => new Date(),
  });
}
