import type { Actor } from '../commands/command.ts';
import type { UserId } from '../events/ids.ts';
import { caughtUp } from '../projections/projection.ts';
import type { RouteDeps } from './route-deps.ts';

/** Returns a function that resolves with the company that somebody acts for: the one that it has joined, or its own. */
export const ownCompany =
  ({ queries, progress, head }: Pick<RouteDeps, 'queries' | 'progress' | 'head'>) =>
  async ({ userId }: Actor): Promise<UserId> => {
    await caughtUp(progress, await head(), ['chat_groups']);
    return queries.companyOfUser(userId);
  };
