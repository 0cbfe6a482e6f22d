import { chatGroupOf, requireMember } from '../commands/chat-group/chat-group.ts';
import type { Actor } from '../commands/command.ts';
import type { GroupId } from '../events/ids.ts';
import { caughtUp } from '../projections/projection.ts';
import type { RouteDeps } from './route-deps.ts';

export type AsMember = <T>(groupId: GroupId, actor: Actor, query: () => Promise<T>) => Promise<T>;

/**
 * Runs a query about one group for a member of it. The log decides who is a member, because a read model that is
 * behind would show the group to a removed member, and hide it from a new one.
 */
export const groupAccess =
  ({ loader, progress }: Pick<RouteDeps, 'loader' | 'progress'>): AsMember =>
  async (groupId, actor, query) => {
    const { state, position } = await loader.refresh(chatGroupOf(groupId));
    requireMember(state, actor);
    await caughtUp(progress, position);
    return query();
  };
