import { z } from 'zod';
import { ClientMsgId, FileId, GroupId, MessageId, UserId } from './ids.ts';
import { text } from './text.ts';

/** Of what a message says, in characters, and of the files that it names. */
export const MAX_TEXT = 4_000;
export const MAX_FILES = 10;
export const MessageText = text(1, MAX_TEXT);
const EMOJI_LENGTH = 16;
/** One emoji as a client shows it: a grapheme of some code points, never a sentence. */
export const Emoji = text(1, EMOJI_LENGTH).regex(
  /^(?:\p{RGI_Emoji}|\p{Extended_Pictographic}\uFE0F?)$/v,
  'Must be a single emoji',
);

const subject = { groupId: GroupId, messageId: MessageId };

/** What was accepted as an emoji stays one, whatever later versions of Unicode say: reading does not judge again. */
const recordedEmoji = text(1, EMOJI_LENGTH);

/** `seq` of each is its revision in the conversation's stream + 1. */
export const conversationEvents = {
  MessageSent: z.strictObject({
    ...subject,
    senderId: UserId,
    clientMsgId: ClientMsgId,
    text: MessageText.nullable(),
    fileIds: z.array(FileId).max(MAX_FILES),
    replyTo: MessageId.nullable(),
  }),
  MessageEdited: z.strictObject({ ...subject, text: MessageText }),
  MessageDeleted: z.strictObject(subject),
  ReactionAdded: z.strictObject({ ...subject, userId: UserId, emoji: recordedEmoji }),
  ReactionRemoved: z.strictObject({ ...subject, userId: UserId, emoji: recordedEmoji }),
};
