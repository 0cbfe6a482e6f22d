import type { Append, EventStore, Recorded } from '../../src/events/event-store.ts';
import { LogsDiffer, compareLogs, copyEvents } from '../../src/operations/copy-log.ts';
import { append, messageSent, newStream, range, say } from '../support/language/appends.ts';
import { createInMemoryEventStore } from '../support/language/in-memory-event-store.ts';

let from: EventStore;
const [stream, other] = [newStream(), newStream()];
beforeEach(async () => {
  from = createInMemoryEventStore();
  await from.append(
    append(
      stream,
      range(3).map((n) => messageSent(`${n}`)),
    ),
  );
  await from.append(say(other, 'elsewhere', { occurredAt: '2026-11-23T00:00:00.000Z' }));
  await from.append(say(stream, 'again'));
});

/** A log with exactly the given events, valid or not. */
const logOf = (events: Recorded[]): Pick<EventStore, 'readAll'> => ({
  readAll: async ({ after, limit }) => events.filter(({ position }) => position > after).slice(0, limit),
});
const events = () => from.readAll({ after: 0, limit: 100 });
const compare = (to: Pick<EventStore, 'readAll'>, wanted: number[] = []) =>
  compareLogs({ from, to, upTo: 5, wanted });

describe('comparing a log with its copy', () => {
  test('accepts the same events at other positions, with fields in any order', async () => {
    const copy = (await events()).map((event) => ({
      ...event,
      position: event.position * 100,
      data: Object.fromEntries(Object.entries(event.data).toReversed()),
    })) as Recorded[];
    const compared = await compare(logOf(copy), [0, 2, 5, 9]);
    expect(compared).toMatchObject({ events: 5, isWhole: true, reached: { from: 5, to: 500 } });
    expect(compared.digest.to).toBe(compared.digest.from);
    expect([...compared.positions]).toEqual([
      [0, 0],
      [2, 200],
      [5, 500],
      [9, 500],
    ]);
  });

  test('reports how far an incomplete copy goes', async () => {
    const begun = await compare(logOf((await events()).slice(0, 3)));
    expect(begun).toMatchObject({ events: 3, isWhole: false, reached: { from: 3, to: 3 } });
    const none = await compare(logOf([]));
    expect(none).toMatchObject({ events: 0, isWhole: false, reached: { from: 0, to: 0 } });
    expect(none.digest.from).not.toBe(begun.digest.from);
  });

  test.each([
    ['id', { id: '0197a000-0000-7000-8000-00000000000f' }],
    ['stream', { stream: newStream() }],
    ['revision', { revision: 7 }],
    ['type', { type: 'MessageEdited' }],
    ['v', { v: 2 }],
    ['occurredAt', { occurredAt: '2026-11-22T10:11:12.346Z' }],
    ['data', { data: { text: 'secret' } }],
    ['metadata', { metadata: { actorId: null, correlationId: 'c-2', causationId: null } }],
  ])('detects another %s, and reports where, but not what', async (field, change) => {
    const copy = await events();
    copy[2] = { ...copy[2], ...change } as Recorded;
    const { message } = await compare(logOf(copy)).then(
      () => Promise.reject(new Error('nothing was found')),
      (error: LogsDiffer) => error,
    );
    expect(message).toContain(`event 3 of the target is not event 3 of the source (${field}): `);
    expect(message).not.toContain('secret');
  });

  test('detects events that are missing, added or reordered', async () => {
    const [first, second, third, ...rest] = await events();
    const wrong = [
      [first!, third!, ...rest],
      [first!, third!, second!, ...rest],
    ].map((copy) => copy.map((event, index) => ({ ...event, position: index + 1 })));
    for (const copy of wrong) await expect(compare(logOf(copy))).rejects.toThrow(LogsDiffer);
    const longer = [...(await events()), { ...first!, position: 6 }];
    await expect(compare(logOf(longer))).rejects.toThrow('more than the 5 events of the source');
  });
});

describe('copying a log', () => {
  const copyTo = (to: EventStore, after = 0) => copyEvents({ from, to, after, upTo: 5 });

  test('keeps events of one append together, and resumes where it stopped', async () => {
    const appends: Append[] = [];
    const to = createInMemoryEventStore();
    const watched = { ...to, append: (each: Append) => (appends.push(each), to.append(each)) };
    expect(await copyTo(watched)).toBe(5);
    expect(appends.map(({ expected, events: { length } }) => [expected, length])).toEqual([
      [-1, 3],
      [-1, 1],
      [2, 1],
    ]);
    expect(await to.readAll({ after: 0, limit: 10 })).toEqual(await events());
    await from.append(say(stream, 'later'));
    expect(await copyEvents({ from, to, after: 5, upTo: 6 })).toBe(1);
    expect(await compareLogs({ from, to, upTo: 6 })).toMatchObject({ isWhole: true, events: 6 });
  });

  test('keeps neighbours apart that differ in time or cause', async () => {
    await from.append(say(stream, 'later', { occurredAt: '2026-11-23T00:00:00.000Z' }));
    const metadata = { actorId: null, correlationId: 'c-2', causationId: null };
    await from.append(say(stream, 'because', { occurredAt: '2026-11-23T00:00:00.000Z', metadata }));
    const to = createInMemoryEventStore();
    expect(await copyEvents({ from, to, after: 0, upTo: 7 })).toBe(7);
    expect(await compareLogs({ from, to, upTo: 7 })).toMatchObject({ isWhole: true, events: 7 });
  });

  test('ignores events appended after its start', async () => {
    await from.append(say(stream, 'later'));
    const to = createInMemoryEventStore();
    expect(await copyTo(to)).toBe(5);
    expect(await to.head()).toBe(5);
  });

  test('stops when another process writes to the copy', async () => {
    const to = createInMemoryEventStore();
    await to.append(say(other, 'not copied'));
    await expect(copyTo(to)).rejects.toThrow(`${other} stands at revision 0 in the target already`);
  });

  test('stops when a later append was stored before an earlier one', async () => {
    const to = createInMemoryEventStore();
    const { promise: isStored, resolve } = Promise.withResolvers<void>();
    const hasty = {
      ...to,
      async append(each: Append) {
        if (each.stream === other) resolve();
        else await isStored;
        return to.append(each);
      },
    };
    await expect(copyTo(hasty)).rejects.toThrow('in another order');
  });
});
