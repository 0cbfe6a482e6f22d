import { z } from 'zod';
import { Emoji } from '../../events/emoji.ts';
import type { ConversationEvent } from '../../events/domain-event.ts';
import { conversationStream } from '../../events/streams.ts';
import { membershipIn } from '../chat-group/chat-group.ts';
import { type Room, companyOfRoom } from '../chat-group/room.ts';
import { type Command, actorId, defineCommand } from '../command.ts';
import { type RejectionCode, ensure } from '../rejection.ts';
import { messageInput, requireMessage, requireOpen } from './message.ts';

/** Maximum number of reactions of one user to one message. Messages from before this limit may have more. */
export const MAX_REACTIONS = 20;

const input = z.strictObject({ ...messageInput, emoji: Emoji });
type Reacting = z.infer<typeof input>;

/** Builds the command that adds or the command that removes a reaction. */
const reaction = (
  name: string,
  type: 'ReactionAdded' | 'ReactionRemoved',
  refuses: readonly RejectionCode[],
): Command<Reacting, Room, ConversationEvent> =>
  defineCommand({
    name,
    input,
    refuses: [
      'GROUP_NOT_FOUND',
      'ROLE_NOT_ALLOWED',
      'MESSAGE_NOT_FOUND',
      'MESSAGE_DELETED',
      'GROUP_CLOSED',
      ...refuses,
    ],
    writes: ({ groupId }) => conversationStream(groupId),
    reads: ({ groupId }, actor) => ({ group: membershipIn(groupId, actor) }),
    readsThen: companyOfRoom,
    message: (react) => react,
    /** Concurrent decisions would not see each other's reactions, and so not count them. */
    oneAtATime: ({ messageId }, actor) => `${messageId}/${actorId(actor)}`,
    /** Two requests that saw the same message want the same change, so they share one event. */
    key: ({ messageId, emoji }, { message }, actor) =>
      `${messageId}/${emoji}/${actorId(actor)}/${message?.changedSeq}`,
    decide: (react, known, { actor }) => {
      const { group, message } = requireMessage(known, actor, 'write');
      const userId = actorId(actor);
      ensure(userId !== null, 'ROLE_NOT_ALLOWED');
      ensure(!message.isDeleted, 'MESSAGE_DELETED');
      const hasReacted = message.reactions[react.emoji]?.includes(userId) ?? false;
      if (hasReacted === (type === 'ReactionAdded')) return [];
      requireOpen(group);
      const own = Object.values(message.reactions).filter((users) => users.includes(userId));
      ensure(type === 'ReactionRemoved' || own.length < MAX_REACTIONS, 'TOO_MANY_REACTIONS');
      return [{ type, data: { ...react, userId } }];
    },
  });

export const addReaction = reaction('AddReaction', 'ReactionAdded', ['TOO_MANY_REACTIONS']);
export const removeReaction = reaction('RemoveReaction', 'ReactionRemoved', []);
