import { isChatGroupEvent, isConversationEvent, toEnvelope } from '../../src/protocol/envelope.ts';
import type { Recorded } from '../../src/events/event-store.ts';
import type { ChatGroupEvent, ConversationEvent } from '../../src/events/domain-event.ts';
import { ada, group, groupId, helloSent, jobPosted, joined } from '../support/language/example-events.ts';
import { happened } from '../support/language/history.ts';
import { createInMemoryEventStore } from '../support/language/in-memory-event-store.ts';

const recorded = (...events: Parameters<typeof happened>[1][]) =>
  happened(createInMemoryEventStore(), ...events);

describe('the envelope', () => {
  test('of a message has its seq: 1, 2, 3 …, and no roster', async () => {
    const events = (await recorded(...group, helloSent, helloSent)).slice(-2);
    const [first, second] = (events as Recorded<ConversationEvent>[]).map(toEnvelope);
    expect(first).toStrictEqual({
      id: events[0]!.id,
      type: 'MessageSent',
      v: 1,
      groupId,
      seq: 1,
      occurredAt: '2026-01-02T03:04:05.678Z',
      actorId: null,
      data: helloSent.data,
    });
    expect(second?.seq).toBe(2);
  });

  test('of a member has the roster: the version of the group, and no seq', async () => {
    const [, event] = (await recorded(...group)) as Recorded<ChatGroupEvent>[];
    expect(toEnvelope(event!)).toMatchObject({ type: 'MemberJoined', roster: 2, data: joined(ada).data });
    expect(toEnvelope(event!)).not.toHaveProperty('seq');
  });

  test('hides internal metadata', async () => {
    const [event] = (await recorded(helloSent)) as Recorded<ConversationEvent>[];
    const envelope = toEnvelope(event!);
    for (const inner of ['position', 'stream', 'revision', 'metadata'])
      expect(envelope).not.toHaveProperty(inner);
  });

  test('exists for events of groups only', async () => {
    const [posted, created, sent] = await recorded(jobPosted, group[0]!, helloSent);
    expect([posted, created, sent].map((event) => isChatGroupEvent(event!))).toStrictEqual([
      false,
      true,
      false,
    ]);
    expect([posted, created, sent].map((event) => isConversationEvent(event!))).toStrictEqual([
      false,
      false,
      true,
    ]);
  });
});
