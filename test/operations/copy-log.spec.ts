import {
  type EventStore,
  EventStoreUnavailable,
  type NewEvent,
  type Recorded,
} from '../../src/events/event-store.ts';
import {
  CommonPart,
  LogsDiffer,
  Misplaced,
  type Target,
  compareLogs,
  copyEvents,
  copyLog,
} from '../../src/operations/copy-log.ts';
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
const metadataOf = (correlationId: string) => ({ actorId: null, correlationId, causationId: null });
const events = () => from.readAll({ after: 0, limit: 100 });
async function compare(to: Pick<EventStore, 'readAll'>, wanted: number[] = [], upTo = 5) {
  const common = new CommonPart();
  const isWhole = await compareLogs({ from, to, common, upTo });
  const { events, reached } = common;
  return {
    events,
    reached,
    isWhole,
    digest: common.digest(),
    positions: await common.positions({ from, to }, wanted),
  };
}

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

/** A target that stores groups in their order, until one does not fit. */
function targetIn(store: EventStore): Target & { groups: Recorded[][] } {
  const groups: Recorded[][] = [];
  return {
    groups,
    readAll: store.readAll,
    async append(appends) {
      for (const group of appends) {
        const { stream, revision, occurredAt, metadata } = group[0]!;
        const added = group.map(({ id, ...event }) => ({ id, event }) as NewEvent);
        const verdict = await store.append({
          stream,
          events: added,
          expected: revision - 1,
          occurredAt,
          metadata,
        });
        if (verdict.outcome === 'conflict')
          throw new Misplaced(`${verdict.stream} stands at revision ${verdict.actual} in the target`);
        groups.push(group);
      }
    },
  };
}

async function copyTo(to: Target, upTo = 5): Promise<CommonPart> {
  const common = new CommonPart();
  if (!(await compareLogs({ from, to, common, upTo }))) await copyEvents({ from, to, common, upTo });
  return common;
}

describe('copying a log', () => {
  test('keeps events of one append together, and resumes where it stopped', async () => {
    const to = createInMemoryEventStore();
    const target = targetIn(to);
    expect((await copyTo(target)).events).toBe(5);
    expect(target.groups.map(([first, ...more]) => [first!.revision - 1, 1 + more.length])).toEqual([
      [-1, 3],
      [-1, 1],
      [2, 1],
    ]);
    expect(await to.readAll({ after: 0, limit: 10 })).toEqual(await events());
    await from.append(say(stream, 'later'));
    expect((await copyTo(target, 6)).events).toBe(6);
    expect(target.groups).toHaveLength(4);
    expect(await compare(to, [], 6)).toMatchObject({ isWhole: true, events: 6 });
  });

  test('keeps an append together that is read in two pages', async () => {
    for (const n of range(993)) await from.append(say(other, `${n}`, { metadata: metadataOf(`${n}`) }));
    await from.append(
      append(
        stream,
        range(5).map((n) => messageSent(`${n}`)),
      ),
    );
    const target = targetIn(createInMemoryEventStore());
    await copyTo(target, 1_003);
    expect(target.groups.at(-1)!.map(({ position }) => position)).toEqual([999, 1_000, 1_001, 1_002, 1_003]);
  });

  test('keeps neighbours apart that differ in time or cause', async () => {
    await from.append(say(stream, 'later', { occurredAt: '2026-11-23T00:00:00.000Z' }));
    await from.append(
      say(stream, 'because', { occurredAt: '2026-11-23T00:00:00.000Z', metadata: metadataOf('c-2') }),
    );
    const to = createInMemoryEventStore();
    expect((await copyTo(targetIn(to), 7)).events).toBe(7);
    expect(await compare(to, [], 7)).toMatchObject({ isWhole: true, events: 7 });
  });

  test('ignores events appended after its start', async () => {
    await from.append(say(stream, 'later'));
    const to = createInMemoryEventStore();
    expect((await copyTo(targetIn(to))).events).toBe(5);
    expect(await to.head()).toBe(5);
  });

  test('stops when another process writes to the copy', async () => {
    const to = createInMemoryEventStore();
    const target = targetIn(to);
    const disturbed = {
      ...target,
      async append(groups: readonly Recorded[][]) {
        await to.append(say(other, 'not copied'));
        await target.append(groups);
      },
    };
    await expect(copyTo(disturbed)).rejects.toThrow(`${other} stands at revision 0 in the target`);
    const elsewhere = {
      ...target,
      async append() {
        await to.append(say(newStream(), 'not copied'));
      },
    };
    await expect(copyTo(elsewhere)).rejects.toThrow(LogsDiffer);
  });

  test('stops when a later append was stored before an earlier one', async () => {
    const target = targetIn(createInMemoryEventStore());
    const hasty = {
      ...target,
      append: ([first, second, ...more]: readonly Recorded[][]) => target.append([second!, first!, ...more]),
    };
    await expect(copyTo(hasty)).rejects.toThrow('event 1 of the target is not event 1 of the source');
  });

  test('translates positions far from the start', async () => {
    for (const n of range(2_500)) await from.append(say(other, `${n}`));
    const to = createInMemoryEventStore();
    const common = await copyTo(targetIn(to), 2_505);
    const spread: Pick<EventStore, 'readAll'> = {
      readAll: async ({ after, limit }) =>
        (await to.readAll({ after: after / 10, limit })).map((event) => ({
          ...event,
          position: event.position * 10,
        })),
    };
    const far = new CommonPart();
    await compareLogs({ from, to: spread, common: far, upTo: 2_505 });
    expect(far.digest()).toEqual(common.digest());
    expect([...(await far.positions({ from, to: spread }, [2_501, 0, 1_000, 1_001]))]).toEqual(
      expect.arrayContaining([
        [0, 0],
        [1_000, 10_000],
        [1_001, 10_010],
        [2_501, 25_010],
      ]),
    );
  });
});

describe('copying while a log fails', () => {
  const troubles: string[] = [];
  const copyAll = (to: Target, source = from) => {
    const common = new CommonPart();
    troubles.length = 0;
    return copyLog({
      from: source,
      to,
      common,
      onTrouble: ({ message }) => void troubles.push(message),
    }).then(() => common);
  };

  test('goes on after the events that were stored', async () => {
    const to = createInMemoryEventStore();
    const target = targetIn(to);
    let failures = 0;
    const failing = {
      ...target,
      async append(groups: readonly Recorded[][]) {
        await target.append(groups.slice(0, 1));
        if (groups.length > 1) throw new EventStoreUnavailable(`failure ${(failures += 1)}`);
      },
    };
    expect((await copyAll(failing)).events).toBe(5);
    expect(troubles).toEqual(['failure 1']);
    expect(await to.readAll({ after: 0, limit: 10 })).toEqual(await events());
  });

  test('goes on when the answer to an append was lost', async () => {
    const to = createInMemoryEventStore();
    const target = targetIn(to);
    const lossy = {
      ...target,
      async append(groups: readonly Recorded[][]) {
        await target.append(groups);
        throw new EventStoreUnavailable('no answer');
      },
    };
    expect((await copyAll(lossy)).events).toBe(5);
    // The last append of a page goes alone, because more of it may follow on the next page.
    expect(troubles).toEqual(['no answer', 'no answer']);
    expect(target.groups).toHaveLength(3);
  });

  test('goes on when either log could not be read', async () => {
    const to = createInMemoryEventStore();
    const unsteady = (store: EventStore, every: number): EventStore => {
      let reads = 0;
      const readAll: EventStore['readAll'] = async (options) => {
        reads += 1;
        if (reads % every === 0) throw new EventStoreUnavailable('out of reach');
        return store.readAll(options);
      };
      return { ...store, readAll };
    };
    for (const n of range(3_000)) await from.append(say(other, `${n}`));
    const target = { ...targetIn(to), readAll: unsteady(to, 5).readAll };
    expect((await copyAll(target, unsteady(from, 4))).events).toBe(3_005);
    expect(troubles).toContain('out of reach');
    expect(await to.head()).toBe(3_005);
  });

  test('has settled what it began when it reports a failure', async () => {
    for (const n of range(2_500)) await from.append(say(other, `${n}`));
    const { promise: isLate, resolve } = Promise.withResolvers<void>();
    const source: Pick<EventStore, 'readAll'> = {
      async readAll(options) {
        if (options.after < 2_000) return from.readAll(options);
        setTimeout(resolve, 20);
        throw new EventStoreUnavailable('out of reach');
      },
    };
    const target = targetIn(createInMemoryEventStore());
    const slow = {
      ...target,
      readAll: (options: Parameters<Target['readAll']>[0]) => isLate.then(() => target.readAll(options)),
    };
    const common = new CommonPart();
    await expect(copyEvents({ from: source, to: slow, common, upTo: 2_505 })).rejects.toThrow('out of reach');
    const { events: reached } = common;
    await isLate.then(() => new Promise((done) => setTimeout(done, 50)));
    expect(common.events).toBe(reached);
  });

  test('stops when an event keeps having no place in the target', async () => {
    const target = targetIn(createInMemoryEventStore());
    const refusing = { ...target, append: () => Promise.reject(new Misplaced('elsewhere')) };
    await expect(copyAll(refusing)).rejects.toThrow(Misplaced);
    expect(troubles).toEqual(['elsewhere', 'elsewhere']);
  });
});
