import { z } from 'zod';
import { MAX_FILES, NewMessageText } from '../../events/conversation.ts';
import type { ConversationEvent } from '../../events/domain-event.ts';
import { ClientMsgId, FileId, GroupId, MessageId, type UserId } from '../../events/ids.ts';
import { conversationStream } from '../../events/streams.ts';
import { membershipIn } from '../chat-group/chat-group.ts';
import { type Room, companyOfRoom, requireInRoom } from '../chat-group/room.ts';
import { type RefsOf, actorId, defineCommand } from '../command.ts';
import { type File, fileOf } from '../file/file.ts';
import { ensure } from '../rejection.ts';

const input = z
  .strictObject({
    groupId: GroupId,
    clientMsgId: ClientMsgId,
    text: NewMessageText.nullish(),
    fileIds: z
      .array(FileId)
      .max(MAX_FILES)
      .refine((ids) => new Set(ids).size === ids.length, 'Must not name a file twice')
      .meta({ uniqueItems: true })
      .nullish(),
    replyTo: MessageId.nullish(),
  })
  .refine(({ text, fileIds }) => typeof text === 'string' || (fileIds?.length ?? 0) > 0, {
    path: ['text'],
    message: 'A message needs a text or at least one file',
  })
  .meta({
    description: 'Has a text or at least one file',
    not: { properties: { text: { type: 'null' }, fileIds: { maxItems: 0 } } },
  });
export type SendMessage = z.infer<typeof input>;

/** The room, and each named file under the name of its stream. */
type Known = Room & Record<`file-${string}`, File>;

/**
 * Throws unless the sender uploaded the file for this group, and it is too young to have been removed as an
 * orphan.
 */
function requireSendable(file: File | undefined, groupId: GroupId, senderId: UserId, now: Date): void {
  ensure(file !== undefined && file.status !== 'none', 'FILE_NOT_FOUND');
  ensure(file.uploaderId === senderId && file.groupId === groupId, 'FILE_NOT_FOUND');
  ensure(file.status !== 'refused', 'FILE_REFUSED');
  ensure(now.getTime() <= Date.parse(file.sendBy), 'FILE_EXPIRED');
}

/**
 * Sends a message. No state of the conversation is loaded: the cost is the same at message 10 and at message
 * 1,000,000. A file need not be clean yet.
 */
export const sendMessage = defineCommand<SendMessage, Known, ConversationEvent>({
  name: 'SendMessage',
  input,
  refuses: [
    'GROUP_NOT_FOUND',
    'ROLE_NOT_ALLOWED',
    'GROUP_CLOSED',
    'FILE_NOT_FOUND',
    'FILE_REFUSED',
    'FILE_EXPIRED',
    'REPLY_TARGET_NOT_FOUND',
    'CLIENT_MSG_ID_REUSED',
  ],
  writes: ({ groupId }) => conversationStream(groupId),
  reads: ({ groupId, fileIds }, actor) => {
    const known: RefsOf<Known> = { group: membershipIn(groupId, actor) };
    for (const fileId of fileIds ?? []) known[`file-${fileId}`] = fileOf(fileId);
    return known;
  },
  readsThen: companyOfRoom,
  message: ({ groupId, replyTo }) => (replyTo ? { groupId, messageId: replyTo } : undefined),
  key: ({ clientMsgId }, _known, actor) => `${actorId(actor)}/${clientMsgId}`,
  repeats: ({ groupId, text = null, fileIds, replyTo = null }, { type, data }) =>
    type === 'MessageSent' &&
    data.groupId === groupId &&
    data.text === text &&
    data.replyTo === replyTo &&
    data.fileIds.join() === (fileIds ?? []).join(),
  decide: (
    { groupId, clientMsgId, text = null, fileIds: named, replyTo = null },
    known,
    { actor, newId, now },
  ) => {
    requireInRoom(known, actor, 'write');
    const { group, message } = known;
    const senderId = actorId(actor);
    ensure(senderId !== null, 'ROLE_NOT_ALLOWED');
    ensure(group.status === 'open', 'GROUP_CLOSED');
    const fileIds = named ?? [];
    for (const fileId of fileIds) requireSendable(known[`file-${fileId}`], groupId, senderId, now);
    ensure(replyTo === null || message !== undefined, 'REPLY_TARGET_NOT_FOUND');
    const messageId = newId() as MessageId;
    return [
      { type: 'MessageSent', data: { groupId, messageId, senderId, clientMsgId, text, fileIds, replyTo } },
    ];
  },
});
