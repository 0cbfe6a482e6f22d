import type { AggregateLoader } from '../../commands/aggregate-cache.ts';
import { type ExistingGroup, chatGroupOf, isMember } from '../../commands/chat-group/chat-group.ts';
import type { Actor } from '../../commands/command.ts';
import { CommandRejected } from '../../commands/rejection.ts';
import { type EventStore, NO_STREAM } from '../../events/event-store.ts';
import type { GroupId } from '../../events/ids.ts';
import { chatGroupStream } from '../../events/streams.ts';

export interface Membership {
  /** Resolves with those of the groups that the actor is a member of, by the current log. */
  among(groupIds: readonly GroupId[], actor: Actor): Promise<ReadonlyMap<GroupId, ExistingGroup>>;
  /**
   * Resolves with the group, by the current log. Throws `CommandRejected` GROUP_NOT_FOUND unless the actor is a member
   * of it.
   */
  requireNow(groupId: GroupId, actor: Actor): Promise<ExistingGroup>;
  /** Does the same without a read for members. It may see a membership that ended a moment ago. */
  require(groupId: GroupId, actor: Actor): Promise<void>;
}

/** Authority over groups comes from the log, never from rooms or read models. */
export function createMembership(loader: AggregateLoader, store: Pick<EventStore, 'revisions'>): Membership {
  async function among(groupIds: readonly GroupId[], actor: Actor): Promise<Map<GroupId, ExistingGroup>> {
    const newest = await store.revisions(groupIds.map(chatGroupStream));
    const inside = await Promise.all(
      groupIds.map(async (groupId) => {
        const group = chatGroupOf(groupId);
        const known = await loader.load(group);
        const isNewest = known.revision >= (newest.get(group.stream) ?? NO_STREAM);
        const { state } = isNewest ? known : await loader.refresh(group);
        return isMember(state, actor.userId) ? [[groupId, state] as const] : [];
      }),
    );
    return new Map(inside.flat());
  }

  async function requireNow(groupId: GroupId, actor: Actor): Promise<ExistingGroup> {
    const group = (await among([groupId], actor)).get(groupId);
    if (!group) throw new CommandRejected('GROUP_NOT_FOUND');
    return group;
  }

  return {
    among,
    requireNow,
    async require(groupId, actor) {
      const { state } = await loader.load(chatGroupOf(groupId));
      if (!isMember(state, actor.userId)) await requireNow(groupId, actor);
    },
  };
}
