import { chatGroupOf, requireMember } from '../commands/chat-group/chat-group.ts';
import type { Actor } from '../commands/command.ts';
import type { GroupId } from '../events/ids.ts';
import { caughtUp } from '../projections/projection.ts';
import type { RouteDeps } from './route-deps.ts';

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
    await caughtUp(progress, position);
    return query();
  };
