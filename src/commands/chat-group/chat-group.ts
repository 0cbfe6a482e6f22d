import { Map as ImmutableMap } from 'immutable';
import type { GroupRole } from '../../events/chat-group.ts';
import type { ChatGroupEvent } from '../../events/domain-event.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { type ActorOrSystem, type Aggregate, type AggregateRef, actorId } from '../command.ts';
import { require } from '../rejection.ts';

export type Members = ImmutableMap<UserId, GroupRole>;
export type ChatGroup = { status: 'none' } | { status: 'open' | 'closed'; members: Members };
export type ExistingGroup = Exclude<ChatGroup, { status: 'none' }>;

const withMembers = (state: ChatGroup, change: (members: Members) => Members): ChatGroup =>
  state.status === 'none' ? state : { ...state, members: change(state.members) };

const chatGroup: Aggregate<ChatGroup, ChatGroupEvent> = {
  initial: { status: 'none' },
  evolve: (state, event): ChatGroup => {
    switch (event.type) {
      case 'ChatGroupCreated':
        return { status: 'open', members: ImmutableMap([[event.data.adminId, 'admin']]) };
      case 'MemberJoined':
        return withMembers(state, (members) => members.set(event.data.userId, event.data.role));
      case 'MemberLeft':
      case 'MemberRemoved':
        return withMembers(state, (members) => members.delete(event.data.userId));
      case 'GroupClosed':
        return state.status === 'none' ? state : { ...state, status: 'closed' };
    }
  },
};

export const chatGroupOf = (groupId: GroupId): AggregateRef<ChatGroup> => ({
  stream: chatGroupStream(groupId),
  aggregate: chatGroup,
});

export const isMember = (group: ChatGroup, userId: UserId): group is ExistingGroup =>
  group.status !== 'none' && group.members.has(userId);

/** Whoever is not in a group may not know that it exists. The system may enter every group that does. */
export function requireMember(group: ChatGroup, actor: ActorOrSystem): asserts group is ExistingGroup {
  const isInside = actor === 'system' ? group.status !== 'none' : isMember(group, actor.userId);
  require(isInside, 'GROUP_NOT_FOUND');
}

export function requireAdmin(group: ExistingGroup, actor: ActorOrSystem): void {
  require(actor === 'system' || group.members.get(actor.userId) === 'admin', 'NOT_GROUP_ADMIN');
}

/** Somebody has to be able to run the group as long as others are in it, or may still come. */
export function requireAnotherAdmin(group: ExistingGroup, leaving: UserId): void {
  const others = group.members.delete(leaving);
  const isDone = others.isEmpty() && group.status === 'closed';
  require(isDone || others.includes('admin'), 'LAST_ADMIN');
}

export const isSelf = (actor: ActorOrSystem, userId: UserId) => actorId(actor) === userId;
