import { randomUUID } from 'node:crypto';
import type { ConversationEvent, DomainEvent } from '../../../src/events/domain-event.ts';
import type { Append, Recorded } from '../../../src/events/event-store.ts';
import { ClientMsgId, GroupId, MessageId, UserId } from '../../../src/events/ids.ts';
import type { Stream } from '../../../src/events/streams.ts';

const group = GroupId.parse('0197a000-0000-7000-8000-000000000001');
const sender = UserId.parse('0197a000-0000-7000-8000-000000000002');
const at = '2026-11-22T10:11:12.345Z';
export const newStream = (category: 'conversation' | 'chatGroup' = 'conversation'): Stream =>
  `${category}-${randomUUID()}`;

export const messageSent = (text: string): ConversationEvent => ({
  type: 'MessageSent',
  data: {
    groupId: group,
    messageId: MessageId.parse(randomUUID()),
    senderId: sender,
    clientMsgId: ClientMsgId.parse(randomUUID()),
    text,
    fileIds: [],
    replyTo: null,
  },
});
export const memberJoined = (userId: UserId): DomainEvent => ({
  type: 'MemberJoined',
  data: { groupId: group, userId, role: 'member' },
});
export const memberLeft = (userId: UserId): DomainEvent => ({
  type: 'MemberLeft',
  data: { groupId: group, userId },
});
export const groupClosed: DomainEvent = { type: 'GroupClosed', data: { groupId: group } };

/** An append of these events, by default at any revision. */
export function append(stream: Stream, events: DomainEvent[], options: Partial<Append> = {}): Append {
  return {
    stream,
    events: events.map((event) => ({ id: randomUUID(), event })),
    expected: 'any',
    occurredAt: at,
    metadata: { actorId: sender, correlationId: 'c-1', causationId: null },
    ...options,
  };
}
export const say = (stream: Stream, text: string, options: Partial<Append> = {}) =>
  append(stream, [messageSent(text)], options);
export const textOf = (event: Recorded) => (event.type === 'MessageSent' ? event.data.text : event.type);
export const range = (length: number) => Array.from({ length }, (_, index) => index);
