import { type History, type SeenEvent, checkHistory } from '../support/language/history-checker.ts';

const group = 'group-1';
const event = (seq: number): SeenEvent => ({
  groupId: group,
  seq,
  id: `event-${seq}`,
  type: 'MessageSent',
  data: { messageId: `message-${seq}`, senderId: 'ann', clientMsgId: `key-${seq}`, text: `text ${seq}` },
});

/** Three messages that two members saw: two acknowledged, and one of unknown outcome. */
function honest(): History {
  const seen = () => [event(1), event(2), event(3)];
  const send = (seq: number) => ({
    groupId: group,
    senderId: 'ann',
    clientMsgId: `key-${seq}`,
    text: `text ${seq}`,
    messageId: `message-${seq}`,
    seq,
  });
  return {
    sends: [
      { ...send(1), outcome: 'ok' },
      { ...send(2), outcome: 'ok' },
      { groupId: group, senderId: 'ann', clientMsgId: 'key-3', text: 'text 3', outcome: 'unknown' },
      { groupId: group, senderId: 'ann', clientMsgId: 'key-4', text: 'text 4', outcome: 'unknown' },
      { groupId: group, senderId: 'ann', clientMsgId: 'key-5', text: 'text 5', outcome: 'refused' },
    ],
    observers: [
      { name: 'ann', groups: [group], seen: seen() },
      { name: 'bob', groups: [group], seen: seen() },
    ],
    rest: [
      {
        groupId: group,
        messages: [1, 2, 3].map((n) => ({ id: `message-${n}`, seq: n, senderId: 'ann', text: `text ${n}` })),
      },
    ],
    reads: [
      { groupId: group, seq: 1, shown: true },
      { groupId: group, seq: 2, shown: 'unavailable' },
    ],
  };
}

const invariants = (history: History) => new Set(checkHistory(history).map(({ invariant }) => invariant));
const bob = (history: History) => history.observers[1]!;

describe('the history checker', () => {
  test('accepts a correct history', () => {
    expect(checkHistory(honest())).toEqual([]);
  });

  test('detects an acknowledged message that is missing everywhere', () => {
    const history = honest();
    for (const observer of history.observers) observer.seen = [event(1)];
    history.rest[0]!.messages.length = 1;
    expect(invariants(history)).toEqual(new Set(['durable']));
  });

  test('detects an acknowledged message that was replaced by another at its seq', () => {
    const history = honest();
    for (const { seen } of history.observers)
      seen[1] = { ...seen[1]!, data: { ...seen[1]!.data, clientMsgId: 'key-4', text: 'text 4' } };
    expect(invariants(history)).toContain('durable');
  });

  test('detects a message that was stored twice', () => {
    const history = honest();
    for (const { seen } of history.observers) seen.push({ ...event(1), seq: 4, id: 'event-4' });
    expect(invariants(history)).toContain('unique');
  });

  test('detects a message of unknown outcome that was stored twice', () => {
    const history = honest();
    for (const { seen } of history.observers) seen.push({ ...event(3), seq: 4, id: 'event-4' });
    expect(invariants(history)).toContain('unique');
  });

  test('detects a hole in seq', () => {
    const history = honest();
    for (const observer of history.observers) observer.seen = [event(1), event(2), { ...event(3), seq: 4 }];
    history.rest[0]!.messages[2]!.seq = 4;
    expect(invariants(history)).toEqual(new Set(['dense order']));
  });

  test('detects a client that applied events out of order', () => {
    const history = honest();
    bob(history).seen = [event(2), event(1), event(3)];
    expect(invariants(history)).toContain('monotonic');
  });

  test('detects a client that applied an event twice', () => {
    const history = honest();
    bob(history).seen = [event(1), event(1), event(2), event(3)];
    expect(invariants(history)).toContain('monotonic');
  });

  test('detects two members with different events at one seq', () => {
    const history = honest();
    bob(history).seen[2] = { ...event(3), id: 'another-event' };
    expect(invariants(history)).toEqual(new Set(['dense order']));
  });

  test('detects a member that has not caught up', () => {
    const history = honest();
    bob(history).seen.pop();
    expect(invariants(history)).toEqual(new Set(['dense order']));
  });

  test('detects a message that was never sent', () => {
    const history = honest();
    const forged = { ...event(4), data: { ...event(4).data, clientMsgId: 'key-9' } };
    for (const { seen } of history.observers) seen.push(forged);
    history.rest[0]!.messages.push({ id: 'message-4', seq: 4, senderId: 'ann', text: 'text 4' });
    expect(invariants(history)).toEqual(new Set(['foreign']));
  });

  test('detects a message whose text differs from the one sent', () => {
    const history = honest();
    for (const { seen } of history.observers)
      seen[0] = { ...seen[0]!, data: { ...seen[0]!.data, text: 'forged' } };
    history.rest[0]!.messages[0]!.text = 'forged';
    expect(invariants(history)).toEqual(new Set(['foreign']));
  });

  test('detects a refused message that was stored', () => {
    const history = honest();
    const refused = { ...event(4), data: { ...event(4).data, clientMsgId: 'key-5', text: 'text 5' } };
    for (const { seen } of history.observers) seen.push(refused);
    history.rest[0]!.messages.push({ id: 'message-4', seq: 4, senderId: 'ann', text: 'text 5' });
    expect(invariants(history)).toEqual(new Set(['foreign']));
  });

  test('detects an observer that received events of a group it is not in', () => {
    const history = honest();
    history.observers.push({ name: 'eve', groups: [], seen: [event(1)] });
    expect(invariants(history)).toEqual(new Set(['foreign']));
  });

  test("detects a REST history that differs from the socket's", () => {
    const history = honest();
    history.rest[0]!.messages.pop();
    expect(invariants(history)).toEqual(new Set(['durable']));
  });

  test('detects a read after an acknowledgement that showed an older state', () => {
    const history = honest();
    history.reads[0]!.shown = false;
    expect(invariants(history)).toEqual(new Set(['read your writes']));
  });
});
