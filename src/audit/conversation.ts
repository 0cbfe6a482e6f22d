import type { ConversationEvent } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';

/** A message as the members saw it at some moment. */
export interface PastMessage {
  id: string;
  seq: number;
  senderId: string;
  text: string | null;
  fileIds: string[];
  replyTo: string | null;
  reactions: Record<string, string[]>;
  occurredAt: string;
  editedAt: string | null;
  deletedAt: string | null;
}

export type Messages = ReadonlyMap<string, PastMessage>;
export const noMessages: Messages = new Map();

/**
 * Returns the messages after some more events of their conversation. Only the messages with a seq from `first` to
 * `last` are kept; changes to others are ignored, as are changes to a deleted message.
 */
export function messagesAfter(
  messages: Messages,
  events: readonly Recorded<ConversationEvent>[],
  { first, last }: { first: number; last: number },
): Messages {
  const known = new Map(messages);
  for (const event of events) {
    const seq = event.revision + 1;
    const before = known.get(event.data.messageId);
    if (event.type === 'MessageSent') {
      if (seq >= first && seq <= last && !before) known.set(event.data.messageId, sent(event));
    } else if (before && before.deletedAt === null) known.set(before.id, changed(before, event));
  }
  return known;
}

function sent({
  data,
  revision,
  occurredAt,
}: Extract<Recorded<ConversationEvent>, { type: 'MessageSent' }>): PastMessage {
  const { messageId: id, senderId, text, fileIds, replyTo } = data;
  return {
    ...{ id, seq: revision + 1, senderId, text, fileIds: [...fileIds], replyTo, reactions: {}, occurredAt },
    ...{ editedAt: null, deletedAt: null },
  };
}

function changed(
  message: PastMessage,
  event: Exclude<Recorded<ConversationEvent>, { type: 'MessageSent' }>,
): PastMessage {
  const { occurredAt } = event;
  switch (event.type) {
    case 'MessageEdited':
      return { ...message, text: event.data.text, editedAt: occurredAt };
    case 'MessageDeleted':
      return { ...message, text: null, fileIds: [], reactions: {}, deletedAt: occurredAt };
    case 'ReactionAdded':
    case 'ReactionRemoved': {
      const { emoji, userId } = event.data;
      const { [emoji]: users = [], ...others } = message.reactions;
      const rest = users.filter((each) => each !== userId);
      const now =
        event.type === 'ReactionRemoved' ? rest : users.includes(userId) ? users : [...users, userId];
      return { ...message, reactions: now.length === 0 ? others : { ...message.reactions, [emoji]: now } };
    }
    default:
      return message;
  }
}
