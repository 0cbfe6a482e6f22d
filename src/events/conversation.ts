import { z } from 'zod';
import { RecordedEmoji } from './emoji.ts';
import { RecordedClientMsgId, FileId, GroupId, MessageId, UserId } from './ids.ts';
import { text, visible } from './text.ts';

/** Maximum length of a message's text, in characters, and maximum number of its files. */
export const MAX_TEXT = 4_000;
export const MAX_FILES = 10;
export const MessageText = text(1, MAX_TEXT);
/** The text of a new message. Older messages may consist of blanks. */
export const NewMessageText = visible(MessageText);

const subject = { groupId: GroupId, messageId: MessageId };

/** `seq` of each is its revision in the conversation's stream + 1. */
export const conversationEvents = {
  MessageSent: z.strictObject({
    ...subject,
    senderId: UserId,
    clientMsgId: RecordedClientMsgId,
    text: MessageText.nullable(),
    fileIds: z.array(FileId).max(MAX_FILES),
    replyTo: MessageId.nullable(),
  }),
  /** Without a text the message consists of its files. */
  MessageEdited: z.strictObject({ ...subject, text: MessageText.nullable() }),
  MessageDeleted: z.strictObject(subject),
  ReactionAdded: z.strictObject({ ...subject, userId: UserId, emoji: RecordedEmoji }),
  ReactionRemoved: z.strictObject({ ...subject, userId: UserId, emoji: RecordedEmoji }),
};
