import type { AggregateLoader } from '../../commands/aggregate-cache.ts';
import { type Room, loadRoom, mayInRoom } from '../../commands/chat-group/room.ts';
import type {
  ChatGroupEvent,
  CompanyEvent,
  ConversationEvent,
  DomainEvent,
} from '../../events/domain-event.ts';
import type { EventStore, Position, Recorded, Revision } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import { type Envelope, groupIdOf, isChatGroupEvent } from '../../protocol/envelope.ts';
import { isUnknown } from '../../events/stored-events.ts';
import type { User } from '../connection/connection.ts';
import type { ServerToClientEvents } from '../connection/protocol.ts';
import type { Renamed } from '../presence/profile.ts';
import type { Deleted } from '../presence/unread.ts';
import type { Users } from '../presence/users.ts';
import { type Heads, headsOf } from '../rooms/heads.ts';
import { groupRoom, putIn, takeOut, userRoom } from '../rooms/rooms.ts';
import { type FileNews, type FileReaders, writeFileNews } from './file-news.ts';
import { withoutText } from './unseen.ts';
import type { Flags, Send } from './wire.ts';

type GroupEvent = ConversationEvent | ChatGroupEvent;

/** The socket event that all members get for an event of a group; undefined when none is sent. */
export const pushedAs = {
  MessageSent: 'messageSent',
  MessageEdited: 'messageEdited',
  MessageDeleted: 'messageDeleted',
  ReactionAdded: 'reactionAdded',
  ReactionRemoved: 'reactionRemoved',
  ChatGroupCreated: undefined,
  MemberJoined: 'memberJoined',
  MemberLeft: 'memberLeft',
  MemberRemoved: 'memberRemoved',
  GroupKindChanged: undefined,
  ThreadAssigned: undefined,
  GroupClosed: 'groupClosed',
  GroupReopened: 'groupReopened',
} as const satisfies Record<GroupEvent['type'], keyof ServerToClientEvents | undefined>;

/** The names of the socket events that carry events of a group. */
type GroupPush = NonNullable<(typeof pushedAs)[keyof typeof pushedAs]>;

export const isGroupEvent = (event: Recorded<DomainEvent>): event is Recorded<GroupEvent> =>
  Object.hasOwn(pushedAs, event.type);

/** A user whom an event puts into a group's room, or takes out of it before the event is delivered. */
type Move =
  | { groupId: GroupId; userId: UserId; to: 'in' }
  | { groupId: GroupId; userId: UserId; to: 'out'; reason: 'left' | 'removed' };

/** Returns the change of a job's members, or of a thread's applicant, that an event means; undefined for none. */
export function moveOf({ type, data }: GroupEvent): Move | undefined {
  switch (type) {
    case 'ChatGroupCreated':
      return { groupId: data.groupId, userId: data.adminId, to: 'in' };
    case 'MemberJoined':
      return { groupId: data.groupId, userId: data.userId, to: 'in' };
    case 'MemberLeft':
      return { groupId: data.groupId, userId: data.userId, to: 'out', reason: 'left' };
    case 'MemberRemoved':
      return { groupId: data.groupId, userId: data.userId, to: 'out', reason: 'removed' };
    case 'GroupKindChanged':
    case 'ThreadAssigned':
    case 'GroupClosed':
    case 'GroupReopened':
    case 'MessageSent':
    case 'MessageEdited':
    case 'MessageDeleted':
    case 'ReactionAdded':
    case 'ReactionRemoved':
      return undefined;
  }
}

/** Returns true if an event may let some of the company's people into a group's room, or take them out. */
export const isForStaff = ({ type, data }: ChatGroupEvent): boolean =>
  type === 'ThreadAssigned' ||
  type === 'GroupKindChanged' ||
  (type === 'ChatGroupCreated' && (data.kind ?? 'job') !== 'job');

/**
 * Returns the changes that an event means for the people of a company, by their rights in the room as it is now. Where
 * it may concern anybody, that is also who was a member before the room became one of the company's, or its group.
 */
function movesOfStaff(event: ChatGroupEvent, room: Room): Move[] {
  const { groupId } = event.data;
  const members = room.group.status === 'none' ? [] : room.group.members.keys();
  const userIds = isForStaff(event)
    ? new Set([...(room.company?.members.keys() ?? []), ...members])
    : [moveOf(event)?.userId];
  return [...userIds].flatMap((userId): Move[] => {
    if (userId === undefined) return [];
    const isIn = mayInRoom(room, userId, 'read');
    return [isIn ? { groupId, userId, to: 'in' } : { groupId, userId, to: 'out', reason: 'removed' }];
  });
}

/** The progress of the broadcaster, by the times of the events, in ms since 1970. */
export interface BroadcastProgress {
  /** All events up to this time have been delivered. */
  until: number;
  /** Some events up to this time were left out, and only `heads` shows them; 0 when nothing was left out. */
  leftOutUntil: number;
}

/** A change of who is in a company, or what for. */
export interface StaffChange {
  companyId: UserId;
  userId: UserId;
  position: Position;
}

/** Returns the change that an event of a company means; undefined for none. */
export function staffChangeOf({ type, data, position }: Recorded<CompanyEvent>): StaffChange | undefined {
  switch (type) {
    case 'TeammateJoined':
    case 'TeammateChanged':
    case 'TeammateRemoved':
      return { companyId: data.companyId, userId: data.userId, position };
    case 'CompanyRenamed':
    case 'TeammateInvited':
    case 'InvitationRevoked':
      return undefined;
  }
}

/** How an event is sent to the members of a group. */
export interface Sending {
  /** The revision of the group's roster that the event relied on. */
  needs: Revision;
  /** Those who do not learn what it says. */
  hiddenFrom?: readonly UserId[] | undefined;
}

/**
 * Writes an event to the sockets in a group's room. Those from whom it is hidden get it without what it says, as far as
 * they are still in the room.
 */
export function writeToGroup(
  write: Send,
  {
    groupId,
    name,
    envelope,
    hiddenFrom = [],
  }: { groupId: GroupId; name: GroupPush; envelope: Envelope } & Pick<Sending, 'hiddenFrom'>,
  flags: Flags = {},
): void {
  const rooms = new Set([groupRoom(groupId)]);
  if (hiddenFrom.length === 0) return write({ data: [name, envelope] }, { rooms, flags });
  const others = hiddenFrom.map(userRoom);
  write({ data: [name, envelope] }, { rooms, except: new Set(others), flags });
  write({ data: [name, withoutText(envelope)] }, { rooms, flags: { ...flags, within: others } });
}

/** The port by which the broadcaster reaches sockets, event by event, in the order of the log. */
export interface Delivery {
  /** Called with the position after which delivery starts. */
  begin(after: Position): void;
  /** Called with each batch before its events. */
  prepare(events: readonly Recorded[]): Promise<void> | undefined;
  /** Handles a change of a group's roster. Called before the envelope of the same event. */
  roster(event: Recorded<ChatGroupEvent>): void;
  /** Handles a change of a company's people. The change may be of newer code, which does not tell whom it is about. */
  staff(change: Omit<StaffChange, 'userId'> & Partial<StaffChange>): void;
  /** Sends to all members of a group. */
  group(groupId: GroupId, name: GroupPush, envelope: Envelope, sending: Sending): void;
  /** Sends to all sockets of a file's uploader. */
  uploader(userId: UserId, news: FileNews): void;
  /** Sends news of a file to those in the room of its group. */
  members(news: FileNews, to: FileReaders): void;
  /** Handles the deletion of a message. */
  deleted(message: Deleted): void;
  /** Handles the change of a user's name. */
  renamed(user: Renamed): void;
  /** Reports the progress of the broadcaster. */
  progress(progress: BroadcastProgress): void;
  /** Resolves once everything has been sent. Rejects when some of it was lost and has to be delivered again. */
  takenOver(): Promise<void> | undefined;
}

interface Here {
  /** Writes to the sockets of this node. */
  write: Send;
  users: Users;
  store: Pick<EventStore, 'revisions'>;
  loader: Pick<AggregateLoader, 'refresh'>;
  epoch: string;
  /** Takes the sockets of a user out of all rooms, and puts them into those that it may read from a position on. */
  reenter: (user: User, from: Position) => void;
  /** Tells the users of this node that a message is gone which they had not read. */
  deleted: (message: Deleted) => void;
  /** Tells the sockets of this node the new name of a user. */
  renamed: (user: Renamed) => void;
}

/** Delivers to the sockets of this node, the only one. */
export function deliverHere({ write, users, store, loader, epoch, reenter, ...here }: Here): Delivery {
  /** The heads of the groups, and the rooms, that a user of this node may be about to enter. */
  let heads = new Map<GroupId, Heads>();
  let rooms = new Map<GroupId, Room>();

  async function look(groupIds: readonly GroupId[]): Promise<void> {
    heads = await headsOf(store, groupIds);
    const found = await Promise.all(
      groupIds.map((groupId) => loadRoom((ref) => loader.refresh(ref), groupId)),
    );
    rooms = new Map(groupIds.map((groupId, index) => [groupId, found[index]!]));
  }

  /** Returns the changes of the room that an event means. Of the company's people, their rights decide. */
  function movesOf(event: Recorded<ChatGroupEvent>): Move[] {
    const room = rooms.get(groupIdOf(event));
    const move = moveOf(event);
    const group = room?.group;
    const isPublic = group === undefined || group.status === 'none' || group.kind === 'job';
    const isAboutStaff = isForStaff(event) || (!isPublic && move?.userId !== group.applicantId);
    if (isAboutStaff && room) return movesOfStaff(event, room);
    const isFormer = move !== undefined && room?.company?.former.has(move.userId);
    return move && !(isFormer && move.to === 'in') ? [move] : [];
  }

  return {
    begin: () => {},

    prepare(events: readonly Recorded[]) {
      const moved = new Set<GroupId>();
      for (const event of events) {
        if (!isChatGroupEvent(event) || isUnknown(event)) continue;
        const userId = moveOf(event)?.userId;
        if (isForStaff(event) || (userId && users.find(userId))) moved.add(event.data.groupId);
      }
      return moved.size > 0 ? look([...moved]) : undefined;
    },

    roster(event) {
      for (const move of movesOf(event)) {
        const user = users.find(move.userId);
        if (!user) continue;
        const { groupId } = move;
        user.membershipChanges += 1;
        for (const socket of user.sockets) {
          if (move.to === 'out') {
            if (takeOut(socket, groupId)) socket.emit('leaveRoom', { groupId, reason: move.reason });
          } else if (putIn(socket, groupId)) {
            const group = rooms.get(groupId)?.group;
            const kind = group === undefined || group.status === 'none' ? 'job' : group.kind;
            const { headSeq, rosterHead } = heads.get(groupId) ?? {
              headSeq: 0,
              rosterHead: event.revision + 1,
            };
            socket.emit('joinRoom', { groupId, headSeq, rosterHead, epoch, kind });
          }
        }
      }
    },

    staff({ userId, position }) {
      const user = userId && users.find(userId);
      if (user) reenter(user, position);
    },

    group: (groupId, name, envelope, { hiddenFrom }) =>
      writeToGroup(write, { groupId, name, envelope, hiddenFrom }),

    uploader(userId, news) {
      write({ data: ['fileStatusChanged', news] }, { rooms: new Set([userRoom(userId)]) });
    },

    members: (news, to) => writeFileNews(write, news, to),
    deleted: here.deleted,
    renamed: here.renamed,

    progress: () => {},
    takenOver: () => undefined,
  };
}
