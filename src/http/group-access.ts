import { chatGroupOf, requireMember } from '../commands/chat-group/chat-group.ts';
import type { Actor } from '../commands/command.ts';
import type { GroupId } from '../events/ids.ts';
import { ProblemError, problem } from './problem.ts';
import type { RouteDeps } from './route-deps.ts';

/** How long a query waits for a read model that has not heard of the group's members as they are now. */
const WAIT_MS = 2_000;

export type AsMember = <T>(groupId: GroupId, actor: Actor, query: () => Promise<T>) => Promise<T>;

/**
 * Runs a query about one group for a member of it. Who is a member is asked of the log, since a read model may be a
 * moment behind: it would still show the group to one who was removed, and hide it from one who has just joined.
 */
export const groupAccess =
  ({ loader, progress }: Pick<RouteDeps, 'loader' | 'progress'>): AsMember =>
  async (groupId, actor, query) => {
    const { state, position } = await loader.refresh(chatGroupOf(groupId));
    requireMember(state, actor);
    if (!(await progress.reached(position, WAIT_MS)))
      throw new ProblemError(problem('NOT_CAUGHT_UP', { retryAfterSeconds: 1 }));
    return query();
  };
