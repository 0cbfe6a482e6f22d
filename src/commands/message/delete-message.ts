import { z } from 'zod';
import type { ConversationEvent } from '../../events/domain-event.ts';
import { conversationStream } from '../../events/streams.ts';
import { membershipIn } from '../chat-group/chat-group.ts';
import { type Room, companyOfRoom, mayInRoom } from '../chat-group/room.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { messageInput, requireMessage } from './message.ts';

const input = z.strictObject(messageInput);

/**
 * Deletes a message, by its author or an admin. This is allowed in a closed group too, because the right to
 * take back words does not end.
 */
export const deleteMessage = defineCommand<z.infer<typeof input>, Room, ConversationEvent>({
  name: 'DeleteMessage',
  input,
  refuses: ['GROUP_NOT_FOUND', 'MESSAGE_NOT_FOUND', 'NOT_MESSAGE_AUTHOR'],
  writes: ({ groupId }) => conversationStream(groupId),
  reads: ({ groupId }, actor) => ({ group: membershipIn(groupId, actor) }),
  readsThen: companyOfRoom,
  message: (deletion) => deletion,
  key: ({ messageId }) => messageId,
  decide: (deletion, known, { actor }) => {
    const { message } = requireMessage(known, actor, 'read');
    const mayDelete =
      actor === 'system' || message.senderId === actor.userId || mayInRoom(known, actor.userId, 'manage');
    ensure(mayDelete, 'NOT_MESSAGE_AUTHOR');
    return message.isDeleted ? [] : [{ type: 'MessageDeleted', data: deletion }];
  },
});
