import { loadRoom, requireInRoom } from '../commands/chat-group/room.ts';
import type { Actor } from '../commands/command.ts';
import type { GroupId } from '../events/ids.ts';
import { type ProjectionName, caughtUp } from '../projections/projection.ts';
import type { RouteDeps } from './route-deps.ts';

export type AsMember = <T>(groupId: GroupId, actor: Actor, query: () => Promise<T>) => Promise<T>;

/**
 * Runs a query about one group for somebody who may read it. The log decides who may, because a read model that is
 * behind would show the group to somebody who was removed, and hide it from somebody new.
 */
export const groupAccess =
  ({ loader, progress }: Pick<RouteDeps, 'loader' | 'progress'>): AsMember =>
  async (groupId, actor, query) => {
    const room = await loadRoom((ref) => loader.refresh(ref), groupId, actor);
    requireInRoom(room, actor, 'read');
    await caughtUp(progress, room.position);
    return query();
  };

/**
 * Runs a query about all groups of its caller, or about its company. The read model of who may read which group has caught up first: one that
 * shows messages may be ahead of it, and then show them to somebody who was removed before they were sent.
 */
export const ownGroupsAccess =
  ({ progress, head }: Pick<RouteDeps, 'progress' | 'head'>) =>
  async <T>(query: () => Promise<T>, alsoOf: readonly ProjectionName[] = []): Promise<T> => {
    await caughtUp(progress, await head(), ['chat_groups', ...alsoOf]);
    return query();
  };
