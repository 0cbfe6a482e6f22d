import type { Actor } from '../../../src/commands/command.ts';
import { ClientMsgId, MessageId } from '../../../src/events/ids.ts';
import { ada, bob, event, groupId, uuid } from './example-events.ts';

/** The id of the n-th message of the examples. */
export const messageNumber = (n: number) => MessageId.parse(uuid(0x40_0000 + n));

export const said = (n: number, by: Actor = ada, text: string | null = `message ${n}`, group = groupId) =>
  event('MessageSent', {
    groupId: group,
    messageId: messageNumber(n),
    senderId: by.userId,
    clientMsgId: ClientMsgId.parse(uuid(0x50_0000 + n)),
    text,
    fileIds: [],
    replyTo: null,
  });
export const edited = (n: number, text: string | null, group = groupId) =>
  event('MessageEdited', { groupId: group, messageId: messageNumber(n), text });
export const deleted = (n: number, group = groupId) =>
  event('MessageDeleted', { groupId: group, messageId: messageNumber(n) });
export const reacted = (n: number, emoji = '👍', by = bob) =>
  event('ReactionAdded', { groupId, messageId: messageNumber(n), userId: by.userId, emoji });
export const unreacted = (n: number, emoji = '👍', by = bob) =>
  event('ReactionRemoved', { groupId, messageId: messageNumber(n), userId: by.userId, emoji });
