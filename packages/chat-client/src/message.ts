import type { ConversationEvent } from './follower.ts';
import type { components } from './protocol.ts';

export type Message = components['schemas']['Message'];
export type NamedFile = Message['files'][number];

/** What a client has learned of people and files besides, by their ids. */
export interface Known {
  nameOf: (userId: string) => string;
  file: (fileId: string) => NamedFile;
}

type MessageSent = Extract<ConversationEvent, { type: 'MessageSent' }>;

/** Returns the message as REST shows it. `seqOf` finds the message that it answers, if it is known here. */
export function messageFrom(
  { groupId, seq, occurredAt, data }: MessageSent,
  { nameOf, file }: Known,
  seqOf: (messageId: string) => number | null,
): Message {
  const { messageId: id, senderId, clientMsgId, text, fileIds, replyTo } = data;
  return {
    ...{ id, groupId, seq, senderId, clientMsgId, text, replyTo, occurredAt },
    sender: { id: senderId, displayName: nameOf(senderId) },
    files: fileIds.map(file),
    replyToSeq: replyTo === null ? null : seqOf(replyTo),
    reactions: {},
    ...{ editedAt: null, deletedAt: null, erasedAt: null },
  };
}

/** Returns the message after a change. The same change twice is no other than once. */
export function changed(message: Message, event: Exclude<ConversationEvent, MessageSent>): Message {
  if (message.deletedAt !== null) return message;
  switch (event.type) {
    case 'MessageEdited':
      return { ...message, text: event.data.text, editedAt: event.occurredAt };
    case 'MessageDeleted':
      return { ...message, text: null, files: [], reactions: {}, deletedAt: event.occurredAt };
    case 'ReactionAdded':
    case 'ReactionRemoved': {
      const { emoji, userId } = event.data;
      const others = (message.reactions[emoji] ?? []).filter((id) => id !== userId);
      const users = event.type === 'ReactionAdded' ? [...others, userId] : others;
      const { [emoji]: _, ...reactions } = message.reactions;
      if (users.length === 0) return { ...message, reactions };
      // An emoji that is there keeps its place.
      return { ...message, reactions: { ...message.reactions, [emoji]: users } };
    }
  }
}
