import { z } from 'zod';
import { MessageText } from '../../events/conversation.ts';
import type { ConversationEvent } from '../../events/domain-event.ts';
import { ClientMsgId, FileId, GroupId, MessageId } from '../../events/ids.ts';
import { conversationStream } from '../../events/streams.ts';
import { type ChatGroup, chatGroupOf, requireMember } from '../chat-group/chat-group.ts';
import { actorId, defineCommand } from '../command.ts';
import { require } from '../rejection.ts';

const input = z
  .strictObject({
    groupId: GroupId,
    clientMsgId: ClientMsgId,
    text: MessageText.nullish(),
    fileIds: z.array(FileId).max(10).optional(),
    replyTo: MessageId.nullish(),
  })
  .refine(({ text, fileIds }) => typeof text === 'string' || (fileIds?.length ?? 0) > 0, {
    path: ['text'],
    message: 'A message needs a text or at least one file',
  });
export type SendMessage = z.infer<typeof input>;

/** Nothing of the conversation is loaded: the cost is the same at message 10 and at message 1,000,000. */
export const sendMessage = defineCommand<SendMessage, { group: ChatGroup }, ConversationEvent>({
  name: 'SendMessage',
  input,
  writes: ({ groupId }) => conversationStream(groupId),
  reads: ({ groupId }) => ({ group: chatGroupOf(groupId) }),
  message: ({ groupId, replyTo }) => (replyTo ? { groupId, messageId: replyTo } : undefined),
  key: ({ clientMsgId }, _known, actor) => `${actorId(actor)}/${clientMsgId}`,
  repeats: ({ groupId, text = null, fileIds = [], replyTo = null }, { type, data }) =>
    type === 'MessageSent' &&
    data.groupId === groupId &&
    data.text === text &&
    data.replyTo === replyTo &&
    data.fileIds.join() === fileIds.join(),
  decide: ({ groupId, clientMsgId, text = null, fileIds = [], replyTo = null }, known, { actor, newId }) => {
    const { group, message } = known;
    requireMember(group, actor);
    const senderId = actorId(actor);
    require(senderId !== null, 'ROLE_NOT_ALLOWED');
    require(group.status === 'open', 'GROUP_CLOSED');
    require(fileIds.length === 0, 'FILE_NOT_FOUND');
    require(replyTo === null || message !== undefined, 'REPLY_TARGET_NOT_FOUND');
    const messageId = MessageId.parse(newId());
    return [
      { type: 'MessageSent', data: { groupId, messageId, senderId, clientMsgId, text, fileIds, replyTo } },
    ];
  },
});
