import type { ChatGroupEvent, ConversationEvent, DomainEvent, FileEvent } from '../../events/domain-event.ts';
import type { Recorded } from '../../events/event-store.ts';
import { fileEvents, refusedStatus } from '../../events/file.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { ServerToClientEvents } from '../connection/protocol.ts';

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
  GroupClosed: 'groupClosed',
} as const satisfies Record<GroupEvent['type'], keyof ServerToClientEvents | undefined>;

/** The names of the socket events that carry events of a group. */
export type GroupPush = NonNullable<(typeof pushedAs)[keyof typeof pushedAs]>;

export const isGroupEvent = (event: Recorded<DomainEvent>): event is Recorded<GroupEvent> =>
  Object.hasOwn(pushedAs, event.type);

/** The user that an event puts into a group's room, or takes out of it before the event is delivered. */
export type Move =
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
    case 'GroupClosed':
    case 'MessageSent':
    case 'MessageEdited':
    case 'MessageDeleted':
    case 'ReactionAdded':
    case 'ReactionRemoved':
      return undefined;
  }
}

export type FileNews = Parameters<ServerToClientEvents['fileStatusChanged']>[0];

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
