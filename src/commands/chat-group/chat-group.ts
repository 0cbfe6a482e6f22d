import { Map as ImmutableMap, Set as ImmutableSet } from 'immutable';
import type { GroupRole, GroupStatus } from '../../events/chat-group.ts';
import type { ChatGroupEvent } from '../../events/domain-event.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { type ActorOrSystem, type Aggregate, type AggregateRef, actorId } from '../command.ts';
import { ensure } from '../rejection.ts';

export type Members = ImmutableMap<UserId, GroupRole>;
export type ChatGroup =
  | { status: 'none' }
  | {
      status: GroupStatus;
      /** Who posted the job; null for a group without one. */
      ownerId: UserId | null;
      members: Members;
      /** Those who did not go by themselves. */
      removed: ImmutableSet<UserId>;
    };
export type ExistingGroup = Exclude<ChatGroup, { status: 'none' }>;

const chatGroup: Aggregate<ChatGroup, ChatGroupEvent> = {
  initial: { status: 'none' },
  evolve: (state, event): ChatGroup => {
    if (event.type === 'ChatGroupCreated') {
      const { jobId, adminId } = event.data;
      return {
        status: 'open',
        ownerId: jobId === null ? null : adminId,
        members: ImmutableMap([[adminId, 'admin']]),
        removed: ImmutableSet(),
      };
    }
    if (state.status === 'none') return state;
    const { members, removed } = state;
    switch (event.type) {
      case 'MemberJoined': {
        const { userId, role } = event.data;
        return { ...state, members: members.set(userId, role), removed: removed.delete(userId) };
      }
      case 'MemberLeft':
        return { ...state, members: members.delete(event.data.userId) };
      case 'MemberRemoved': {
        const { userId } = event.data;
        return { ...state, members: members.delete(userId), removed: removed.add(userId) };
      }
      case 'GroupClosed':
        return { ...state, status: 'closed' };
    }
  },
};

export const chatGroupOf = (groupId: GroupId): AggregateRef<ChatGroup> => ({
  stream: chatGroupStream(groupId),
  aggregate: chatGroup,
});

/** The group for a decision that relies on the actor's own membership: others may come and go meanwhile. */
export const membershipIn = (groupId: GroupId, actor: ActorOrSystem): AggregateRef<ChatGroup> => ({
  ...chatGroupOf(groupId),
  ...(actor !== 'system' && { about: actor.userId }),
});

export const isMember = (group: ChatGroup, userId: UserId): group is ExistingGroup =>
  group.status !== 'none' && group.members.has(userId);

/** Throws GROUP_NOT_FOUND for actors outside the group, who may not know that it exists. The system may enter every group. */
export function requireMember(group: ChatGroup, actor: ActorOrSystem): asserts group is ExistingGroup {
  const isInside = actor === 'system' ? group.status !== 'none' : isMember(group, actor.userId);
  ensure(isInside, 'GROUP_NOT_FOUND');
}

export function requireAdmin(group: ExistingGroup, actor: ActorOrSystem): void {
  ensure(actor === 'system' || group.members.get(actor.userId) === 'admin', 'NOT_GROUP_ADMIN');
}

/**
 * Returns the job's owner, who takes over when the last admin goes, so that the group has an admin while members are in it or
 * may still come. Undefined when an admin remains or no member is left. Throws `LAST_ADMIN` when there is no one to take over.
 */
export function successorOf(group: ExistingGroup, leaving: UserId): UserId | undefined {
  const { ownerId, status } = group;
  const others = group.members.delete(leaving);
  if (others.includes('admin') || (others.isEmpty() && status === 'closed')) return undefined;
  ensure(ownerId !== null && ownerId !== leaving, 'LAST_ADMIN');
  return ownerId;
}

export const isSelf = (actor: ActorOrSystem, userId: UserId) => actorId(actor) === userId;
