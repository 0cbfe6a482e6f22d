import type { AggregateLoader } from '../../commands/aggregate-cache.ts';
import { chatGroupOf } from '../../commands/chat-group/chat-group.ts';
import type { GroupKind } from '../../events/chat-group.ts';
import type { ChatGroupEvent, ConversationEvent, DomainEvent, FileEvent } from '../../events/domain-event.ts';
import type { EventStore, Recorded, Revision } from '../../events/event-store.ts';
import { fileEvents, refusedStatus } from '../../events/file.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { Envelope } from '../../protocol/envelope.ts';
import type { ServerToClientEvents } from '../connection/protocol.ts';
import type { Users } from '../presence/users.ts';
import { headSeqs } from '../rooms/heads.ts';
import { groupRoom, putIn, takeOut, userRoom } from '../rooms/rooms.ts';
import type { Send } from './wire.ts';

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
  GroupClosed: 'groupClosed',
  GroupReopened: 'groupReopened',
} as const satisfies Record<GroupEvent['type'], keyof ServerToClientEvents | undefined>;

/** The names of the socket events that carry events of a group. */
type GroupPush = NonNullable<(typeof pushedAs)[keyof typeof pushedAs]>;

export const isGroupEvent = (event: Recorded<DomainEvent>): event is Recorded<GroupEvent> =>
  Object.hasOwn(pushedAs, event.type);

/** The user that an event puts into a group's room, or takes out of it before the event is delivered. */
type Move =
  | { groupId: GroupId; userId: UserId; to: 'in' }
  | { groupId: GroupId; userId: UserId; to: 'out'; reason: 'left' | 'removed' };

/** Returns the change of the room's members that an event means; undefined for none. */
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

type FileNews = Parameters<ServerToClientEvents['fileStatusChanged']>[0];

const isFileEvent = (event: DomainEvent): event is FileEvent => Object.hasOwn(fileEvents, event.type);

/** Returns the news that the sockets of a file's uploader get for an event; undefined for none. */
export function fileNewsOf(event: DomainEvent): { uploaderId: UserId; news: FileNews } | undefined {
  if (!isFileEvent(event)) return undefined;
  const { type, data } = event;
  switch (type) {
    case 'FileUploadRequested':
      return undefined;
    case 'FileUploaded':
      return { uploaderId: data.uploaderId, news: { fileId: data.fileId, status: 'scanning' } };
    case 'FileCleared':
      return { uploaderId: data.uploaderId, news: { fileId: data.fileId, status: 'clean' } };
    case 'FileRefused': {
      const { fileId, uploaderId, reason } = data;
      return { uploaderId, news: { fileId, status: refusedStatus(reason), reason } };
    }
  }
}

/** The progress of the broadcaster, by the times of the events, in ms since 1970. */
export interface BroadcastProgress {
  /** All events up to this time have been delivered. */
  until: number;
  /** Some events up to this time were left out, and only `heads` shows them; 0 when nothing was left out. */
  leftOutUntil: number;
}

/** The port by which the broadcaster reaches sockets, event by event, in the order of the log. */
export interface Delivery {
  /** Called with each batch before its events. */
  prepare(events: readonly Recorded[]): Promise<void> | undefined;
  /** Handles a change of a group's roster. Called before the envelope of the same event. */
  roster(event: Recorded<ChatGroupEvent>): void;
  /** Sends to all members of a group; `needs` is the revision of its roster that the event relied on. */
  group(groupId: GroupId, name: GroupPush, envelope: Envelope, needs: Revision): void;
  /** Sends to all sockets of a file's uploader. */
  uploader(userId: UserId, news: FileNews): void;
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
  loader: Pick<AggregateLoader, 'load'>;
  epoch: string;
}

/** Delivers to the sockets of this node, the only one. */
export function deliverHere({ write, users, store, loader, epoch }: Here): Delivery {
  /** The heads and kinds of the groups that a user of this node is about to enter. */
  let heads = new Map<GroupId, number>();
  let kinds = new Map<GroupId, GroupKind>();

  async function look(groupIds: readonly GroupId[]): Promise<void> {
    heads = await headSeqs(store, groupIds);
    const groups = await Promise.all(groupIds.map((groupId) => loader.load(chatGroupOf(groupId))));
    kinds = new Map(
      groups.map(({ state }, index) => [groupIds[index]!, state.status === 'none' ? 'job' : state.kind]),
    );
  }

  return {
    prepare(events: readonly Recorded[]) {
      const entered = events.flatMap((event) => {
        const move = isGroupEvent(event) ? moveOf(event) : undefined;
        return move?.to === 'in' && users.find(move.userId) ? [move.groupId] : [];
      });
      return entered.length > 0 ? look(entered) : undefined;
    },

    roster(event) {
      const move = moveOf(event);
      const user = move && users.find(move.userId);
      if (!user) return;
      const { groupId } = move;
      user.membershipChanges += 1;
      for (const socket of user.sockets) {
        if (move.to === 'out') {
          if (takeOut(socket, groupId)) socket.emit('leaveRoom', { groupId, reason: move.reason });
        } else if (putIn(socket, groupId)) {
          const kind = kinds.get(groupId) ?? 'job';
          socket.emit('joinRoom', { groupId, headSeq: heads.get(groupId) ?? 0, epoch, kind });
        }
      }
    },

    group(groupId, name, envelope) {
      write({ data: [name, envelope] }, { rooms: new Set([groupRoom(groupId)]) });
    },

    uploader(userId, news) {
      write({ data: ['fileStatusChanged', news] }, { rooms: new Set([userRoom(userId)]) });
    },

    progress: () => {},
    takenOver: () => undefined,
  };
}
