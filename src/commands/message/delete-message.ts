import { z } from 'zod';
import type { ConversationEvent } from '../../events/domain-event.ts';
import { conversationStream } from '../../events/streams.ts';
import { type ChatGroup, isAdmin, membershipIn } from '../chat-group/chat-group.ts';
import { actorId, defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { messageInput, requireMessage } from './message.ts';

const input = z.strictObject(messageInput);

/**
 * Deletes a message, by its author or an admin. This is allowed in a closed group too, because the right to
 * take back words does not end.
 */
export const deleteMessage = defineCommand<z.infer<typeof input>, { group: ChatGroup }, ConversationEvent>({
  name: 'DeleteMessage',
  input,
  refuses: ['GROUP_NOT_FOUND', 'MESSAGE_NOT_FOUND', 'NOT_MESSAGE_AUTHOR'],
  writes: ({ groupId }) => conversationStream(groupId),
  reads: ({ groupId }, actor) => ({ group: membershipIn(groupId, actor) }),
  message: (deletion) => deletion,
  key: ({ messageId }) => messageId,
  decide: (deletion, known, { actor }) => {
    const { group, message } = requireMessage(known.group, known.message, actor);
    const isAuthor = message.senderId === actorId(actor);
    ensure(isAuthor || isAdmin(group, actor), 'NOT_MESSAGE_AUTHOR');
    return message.isDeleted ? [] : [{ type: 'MessageDeleted', data: deletion }];
  },
});
