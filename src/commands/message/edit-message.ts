import { z } from 'zod';
import { NewMessageText } from '../../events/conversation.ts';
import type { ConversationEvent } from '../../events/domain-event.ts';
import { conversationStream } from '../../events/streams.ts';
import { membershipIn } from '../chat-group/chat-group.ts';
import { type Room, companyOfRoom } from '../chat-group/room.ts';
import { actorId, defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { messageInput, requireMessage, requireOpen } from './message.ts';

const input = z.strictObject({ ...messageInput, text: NewMessageText.nullable() });

/** Edits a message. Without a text only the files of the message remain; a message without files needs a text. */
export const editMessage = defineCommand<z.infer<typeof input>, Room, ConversationEvent>({
  name: 'EditMessage',
  input,
  refuses: [
    'GROUP_NOT_FOUND',
    'ROLE_NOT_ALLOWED',
    'MESSAGE_NOT_FOUND',
    'NOT_MESSAGE_AUTHOR',
    'MESSAGE_DELETED',
    'MESSAGE_EMPTY',
    'GROUP_CLOSED',
  ],
  writes: ({ groupId }) => conversationStream(groupId),
  reads: ({ groupId }, actor) => ({ group: membershipIn(groupId, actor) }),
  readsThen: companyOfRoom,
  message: (edit) => edit,
  decide: (edit, known, { actor }) => {
    const { group, message } = requireMessage(known, actor, 'write');
    ensure(message.senderId === actorId(actor), 'NOT_MESSAGE_AUTHOR');
    ensure(!message.isDeleted, 'MESSAGE_DELETED');
    ensure(edit.text !== null || message.hasFiles, 'MESSAGE_EMPTY');
    if (message.text === edit.text) return [];
    requireOpen(group);
    return [{ type: 'MessageEdited', data: edit }];
  },
});
