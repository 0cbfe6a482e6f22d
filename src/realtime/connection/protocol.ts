import { z } from 'zod';
import { addReaction, removeReaction } from '../../commands/message/react-to-message.ts';
import { deleteMessage } from '../../commands/message/delete-message.ts';
import { editMessage } from '../../commands/message/edit-message.ts';
import { sendMessage } from '../../commands/message/send-message.ts';
import { moveReadMarkerInput } from '../../commands/read-marker/move-read-marker.ts';
import { GroupKind, chatGroupEvents } from '../../events/chat-group.ts';
import { conversationEvents } from '../../events/conversation.ts';
import { FileStatus, RefusalReason } from '../../events/file.ts';
import { FileId, GroupId, MessageId, UserId } from '../../events/ids.ts';
import type { Problem } from '../../protocol/problem.ts';

/** Maximum number of groups in one `sync`, and of events of each group in its answer. */
export const SYNC_GROUPS = 100;
export const SYNC_EVENTS = 500;
const MAX_TOKEN_LENGTH = 8_192;
const MAX_EPOCH_LENGTH = 64;
const MAX_TRACEPARENT = 512;

const seq = z.int().min(0);
const group = z.strictObject({ groupId: GroupId });
const occurredAt = z.iso.datetime();
const message = { messageId: MessageId };
const position = z.string();
const epoch = z.string().describe('of the log: it changes when the log was restored to an earlier state');
const rosterHead = seq.describe('the version of the list of members: that of its last event, pushed or not');
const heads = { headSeq: seq, rosterHead };
const changed = z.strictObject({ seq, position });
const expiresIn = z.int().min(0).describe('seconds');

const facts = <T extends string, D extends z.ZodType>(type: T, data: D) => ({
  id: z.uuid(),
  type: z.literal(type),
  v: z.int().min(1),
  groupId: GroupId,
  occurredAt,
  actorId: UserId.nullable(),
  data,
});
const inConversation = <T extends string, D extends z.ZodType>(type: T, data: D) =>
  z.strictObject({ ...facts(type, data), seq });
const inGroup = <T extends string, D extends z.ZodType>(type: T, data: D) =>
  z.strictObject({ ...facts(type, data), roster: seq });

/** The events of a conversation, as they are pushed, and as `sync` answers them. */
export const conversationEnvelopes = {
  messageSent: inConversation('MessageSent', conversationEvents.MessageSent),
  messageEdited: inConversation('MessageEdited', conversationEvents.MessageEdited),
  messageDeleted: inConversation('MessageDeleted', conversationEvents.MessageDeleted),
  reactionAdded: inConversation('ReactionAdded', conversationEvents.ReactionAdded),
  reactionRemoved: inConversation('ReactionRemoved', conversationEvents.ReactionRemoved),
};

/** The events of a list of members, and of the group itself. */
export const rosterEnvelopes = {
  memberJoined: inGroup('MemberJoined', chatGroupEvents.MemberJoined),
  memberLeft: inGroup('MemberLeft', chatGroupEvents.MemberLeft),
  memberRemoved: inGroup('MemberRemoved', chatGroupEvents.MemberRemoved),
  groupClosed: inGroup('GroupClosed', chatGroupEvents.GroupClosed),
  groupReopened: inGroup('GroupReopened', chatGroupEvents.GroupReopened),
};

const conversationEnvelope = z.union(Object.values(conversationEnvelopes));
const rosterEnvelope = z.union(Object.values(rosterEnvelopes));

/** Where the group's history begins for its members as they join. */
const firstSeq = z
  .int()
  .min(1)
  .optional()
  .describe('the seq with which the conversation begins for the caller; 1 when it is absent');

/** What `sync` answers about a group. */
const caughtUpGroup = z.strictObject({
  groupId: GroupId,
  events: z.array(conversationEnvelope).max(SYNC_EVENTS),
  headSeq: seq,
  firstSeq,
  roster: z
    .array(rosterEnvelope)
    .max(SYNC_EVENTS)
    .optional()
    .describe('when afterRoster was sent; absent where the list of members is to be read again'),
  rosterHead: rosterHead.optional(),
  complete: z.boolean().describe('false: call again after the last seq and the last roster'),
});

/** What `sync` answers about a group of which the client knows what the log does not. */
const resetGroup = z.strictObject({
  groupId: GroupId,
  epoch,
  reset: z.literal(true).describe('the seq is of another log: forget the group, and start anew at 0'),
  headSeq: seq,
  firstSeq,
  rosterHead: rosterHead.optional(),
});

/** What the payload of every event of a client may have besides. A value that is no `traceparent` is ignored. */
export const Traceable = z.looseObject({
  traceparent: z
    .string()
    .max(MAX_TRACEPARENT)
    .nullish()
    .describe('W3C Trace Context: the span of the client'),
});

/** All events that a client may send: `payload` is their data, `ack` the fields that the ack adds to `ok: true`. */
export const clientEvents = {
  sendMessage: {
    payload: sendMessage.input,
    ack: z.strictObject({ ...message, seq, occurredAt, duplicate: z.boolean(), position }),
  },
  editMessage: { payload: editMessage.input, ack: changed },
  deleteMessage: { payload: deleteMessage.input, ack: changed },
  addReaction: { payload: addReaction.input, ack: changed },
  removeReaction: { payload: removeReaction.input, ack: changed },
  markRead: { payload: moveReadMarkerInput, ack: z.strictObject({ unreadCount: seq }) },
  typing: { payload: z.strictObject({ ...group.shape, isTyping: z.boolean() }), ack: z.strictObject({}) },
  joinRoom: { payload: group, ack: z.strictObject({ ...heads, epoch, kind: GroupKind }) },
  leaveRoom: { payload: group, ack: z.strictObject({ headSeq: seq }) },
  sync: {
    payload: z.strictObject({
      groups: z
        .array(
          z.strictObject({
            groupId: GroupId,
            afterSeq: seq,
            afterRoster: seq.nullish().describe('answers the changes of the list of members as well'),
          }),
        )
        .min(1)
        .max(SYNC_GROUPS),
      epoch: z.string().max(MAX_EPOCH_LENGTH).nullish().describe('of the log, when the seqs were learned'),
    }),
    ack: z.strictObject({
      epoch,
      groups: z.array(z.union([caughtUpGroup, resetGroup])),
      denied: z.array(GroupId).describe('groups that the caller is not a member of'),
    }),
  },
  refreshAuth: {
    payload: z.strictObject({ token: z.string().min(1).max(MAX_TOKEN_LENGTH) }),
    ack: z.strictObject({ expiresIn }),
  },
};

/** All events that the server may send. */
export const serverEvents = {
  joinRoom: z.strictObject({ groupId: GroupId, ...heads, epoch, kind: GroupKind }),
  leaveRoom: z.strictObject({ groupId: GroupId, reason: z.enum(['left', 'removed']) }),
  ...conversationEnvelopes,
  ...rosterEnvelopes,
  fileStatusChanged: z.strictObject({
    fileId: FileId,
    groupId: GroupId,
    status: FileStatus,
    reason: RefusalReason.optional(),
  }),
  messagesRead: z.strictObject({ groupId: GroupId, userId: UserId, seq }),
  unreadChanged: z.strictObject({
    groupId: GroupId,
    unreadCount: seq,
    readSeq: seq,
    headSeq: seq.describe('that of the last event that the count knows of'),
    total: seq.optional().describe('of all groups of the user; absent where there are too many'),
  }),
  typing: z.strictObject({ groupId: GroupId, userId: UserId, isTyping: z.boolean() }),
  presence: z.strictObject({ userId: UserId, online: z.boolean() }),
  profileChanged: z.strictObject({ userId: UserId, displayName: z.string() }),
  heads: z.strictObject({
    groups: z.record(z.uuid(), seq),
    rosters: z
      .record(z.uuid(), seq)
      .optional()
      .describe('the versions of those lists of members that changed'),
    epoch,
  }),
  sessionExpiring: z.strictObject({ expiresIn }),
  sessionEnded: z.strictObject({ code: z.enum(['TOKEN_EXPIRED', 'TOKEN_INVALID', 'TOKEN_REVOKED']) }),
  draining: z.strictObject({ reconnectInMs: z.int().min(0) }),
};

/** The schemas that several events refer to, by their names in the document. */
export const sharedSchemas = {
  Id: GroupId,
  Time: occurredAt,
  Position: position,
  Epoch: epoch,
  GroupKind,
  FileStatus,
  RefusalReason,
  ConversationEnvelope: conversationEnvelope,
  RosterEnvelope: rosterEnvelope,
  CaughtUpGroup: caughtUpGroup,
  ResetGroup: resetGroup,
};

/** The reason why the session of a socket ended. */
export type SessionEnd = z.output<typeof serverEvents.sessionEnded>['code'];
export type ClientEvent = keyof typeof clientEvents;
export type ServerEvent = keyof typeof serverEvents;
export type Payload<N extends ClientEvent> = z.output<(typeof clientEvents)[N]['payload']>;
export type Answer<N extends ClientEvent> = z.input<(typeof clientEvents)[N]['ack']>;
export type Ack<N extends ClientEvent> = ({ ok: true } & Answer<N>) | { ok: false; error: Problem };

/** The input type of a client: ids without the brand that checking adds. */
type Plain<T> = T extends string ? string : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;

export type ClientToServerEvents = {
  [N in ClientEvent]: (
    payload: Plain<Payload<N>> & z.input<typeof Traceable>,
    ack?: (answer: Ack<N>) => void,
  ) => void;
};
export type ServerToClientEvents = {
  [N in keyof typeof serverEvents]: (payload: z.input<(typeof serverEvents)[N]>) => void;
};
