import { Map as ImmutableMap, Set as ImmutableSet } from 'immutable';
import type { GroupKind, GroupRole, GroupStatus } from '../../events/chat-group.ts';
import type { ChatGroupEvent } from '../../events/domain-event.ts';
import type { GroupId, JobId, UserId } from '../../events/ids.ts';
import type { HistoryFrom } from '../../events/job.ts';
import { chatGroupStream } from '../../events/streams.ts';
import { type ActorOrSystem, type Aggregate, type AggregateRef, actorId } from '../command.ts';

/** The rights of each role. `manages`: adds, promotes and removes members, and deletes messages of others. */
const rights: Record<GroupRole, { manages: boolean }> = {
  admin: { manages: true },
  member: { manages: false },
};

/** Returns true if the role may manage the group. A group with members has such a member at all times. */
export const manages = (role: GroupRole | undefined): boolean => role !== undefined && rights[role].manages;

export type Members = ImmutableMap<UserId, GroupRole>;
export type ChatGroup =
  | { status: 'none' }
  | {
      status: GroupStatus;
      kind: GroupKind;
      historyFrom: HistoryFrom;
      /** Null for a group without a job, as its company is. */
      jobId: JobId | null;
      companyId: UserId | null;
      /** Whose application a thread is about, and who of the company sees to it. */
      applicantId: UserId | null;
      assigneeId: UserId | null;
      members: Members;
      /** Former members who were removed and did not leave by themselves. */
      removed: ImmutableSet<UserId>;
    };
export type ExistingGroup = Exclude<ChatGroup, { status: 'none' }>;

const chatGroup: Aggregate<ChatGroup, ChatGroupEvent> = {
  initial: { status: 'none' },
  evolve: (state, event): ChatGroup => {
    if (event.type === 'ChatGroupCreated') {
      const { jobId, adminId, companyId = adminId, kind = 'job', historyFrom = 'start' } = event.data;
      const { applicantId = null } = event.data;
      return {
        ...{ status: 'open', kind, historyFrom, jobId, applicantId, assigneeId: null },
        companyId: jobId === null ? null : companyId,
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
      case 'ThreadAssigned':
        return { ...state, assigneeId: event.data.assigneeId };
      case 'GroupKindChanged':
        return { ...state, kind: event.data.kind, historyFrom: event.data.historyFrom };
      case 'GroupClosed':
        return { ...state, status: 'closed' };
      case 'GroupReopened':
        return { ...state, status: 'open' };
    }
  },
};

export const chatGroupOf = (groupId: GroupId): AggregateRef<ChatGroup> => ({
  stream: chatGroupStream(groupId),
  aggregate: chatGroup,
});

/**
 * Returns the group for a decision that relies on the actor's own membership: changes of other members do not
 * matter.
 */
export const membershipIn = (groupId: GroupId, actor: ActorOrSystem): AggregateRef<ChatGroup> => ({
  ...chatGroupOf(groupId),
  ...(actor !== 'system' && { about: actor.userId }),
});

/** Returns true if an admin remains without this member. */
export const hasOtherAdmin = ({ members }: ExistingGroup, userId: UserId): boolean =>
  members.some((role, memberId) => memberId !== userId && manages(role));

export const isSelf = (actor: ActorOrSystem, userId: UserId) => actorId(actor) === userId;
