import { randomUUID } from 'node:crypto';
import {
  type Append,
  type EventStore,
  MOST_BEHIND,
  NO_STREAM,
  type Recorded,
} from '../../src/events/event-store.ts';
import { UserId } from '../../src/events/ids.ts';
import type { Stream } from '../../src/events/streams.ts';
import {
  append,
  groupClosed,
  memberJoined,
  memberLeft,
  messageSent,
  newStream,
  range,
  say,
  textOf,
} from '../support/language/appends.ts';
import { describeSubscriptions } from './subscription-contract.ts';

type Open = () => Promise<{ store: EventStore; close(): Promise<void> }>;

/** The contract of every adapter of the log. `open` returns a store that no other process appends to. */
export function describeEventStore(name: string, open: Open) {
  describe(`the log ${name}`, () => {
    let store: EventStore;
    let close: () => Promise<void>;
    /** The head at the start: the log may not be empty. */
    let base: number;
    beforeEach(async () => {
      ({ store, close } = await open());
      base = await store.head();
    });
    afterEach(() => close());

    const since = () => store.readAll({ after: base, limit: 100 });

    async function stored(wanted: Append): Promise<Recorded[]> {
      const verdict = await store.append(wanted);
      if (verdict.outcome !== 'appended') throw new Error(`not appended: ${JSON.stringify(verdict)}`);
      return verdict.events;
    }

    describe('appending', () => {
      test('gives the events of a new stream the revisions 0, 1, 2 and ascending positions', async () => {
        const stream = newStream();
        const events = await stored(append(stream, [messageSent('a'), messageSent('b'), messageSent('c')]));
        expect(events.map(({ revision }) => revision)).toEqual([0, 1, 2]);
        expect(events.map(({ stream: name }) => name)).toEqual([stream, stream, stream]);
        const positions = events.map(({ position }) => position);
        expect([base, ...positions]).toEqual([base, ...new Set(positions)].toSorted((a, b) => a - b));
        expect(await store.readStream(stream)).toEqual(events);
        expect(await since()).toEqual(events);
      });

      test('returns what a read returns, for any format of the given time', async () => {
        const [event] = await stored(
          say(newStream(), 'Grüße "👋"\\', { occurredAt: '2026-11-22T11:11:12.3+01:00' }),
        );
        expect(event!.occurredAt).toBe('2026-11-22T10:11:12.300Z');
        expect(await store.find(event!.id)).toEqual(event);
        expect(event).toMatchObject({ type: 'MessageSent', v: 1, data: { text: 'Grüße "👋"\\' } });
      });

      test('keeps the metadata unchanged', async () => {
        const metadata = {
          actorId: null,
          correlationId: 'x',
          causationId: randomUUID(),
          reliedOn: { 'job-1': 4 },
          trace: '00f067aa0ba902b7',
          via: { clientId: 'a client' },
        };
        const [event] = await stored(say(newStream(), 'a', { metadata }));
        expect((await store.find(event!.id))!.metadata).toEqual(metadata);
      });

      test('accepts a stream at the expected revision', async () => {
        const stream = newStream();
        await stored(say(stream, 'a', { expected: NO_STREAM }));
        const [second] = await stored(say(stream, 'b', { expected: 0 }));
        expect(second!.revision).toBe(1);
      });

      test('refuses a stream at another revision, and reports that revision', async () => {
        const stream = newStream();
        const elsewhere = { outcome: 'conflict', stream, actual: NO_STREAM };
        expect(await store.append(say(stream, 'a', { expected: 0 }))).toEqual(elsewhere);
        const events = await stored(append(stream, [messageSent('a'), messageSent('b')]));
        for (const expected of [NO_STREAM, 0, 2]) {
          expect(await store.append(say(stream, 'c', { expected }))).toEqual({ ...elsewhere, actual: 1 });
        }
        expect(await since()).toEqual(events);
      });

      test('stores the events of one append together or not at all', async () => {
        const stream = newStream();
        const first = say(stream, 'a');
        await stored(first);
        const mixed = append(stream, [messageSent('b'), messageSent('c')]);
        mixed.events[1]!.id = first.events[0]!.id;
        expect(await store.append(mixed)).toMatchObject({ outcome: 'duplicate' });
        expect((await store.readStream(stream)).map(textOf)).toEqual(['a']);
      });

      test('refuses an unreadable event, and stores nothing', async () => {
        const broken = append(newStream(), [{ type: 'MessageSent', data: { text: 7 } } as never]);
        await expect(store.append(broken)).rejects.toThrow(/MessageSent/);
        expect(await store.head()).toBe(base);
      });
    });

    describe('guards', () => {
      test('pass while the other stream is at the revision of the decision', async () => {
        const chatGroup = newStream('chatGroup');
        await stored(append(chatGroup, [groupClosed]));
        const guards = [
          { stream: chatGroup, revision: 0 },
          { stream: newStream('chatGroup'), revision: NO_STREAM },
        ];
        expect(await store.append(say(newStream(), 'a', { guards }))).toMatchObject({ outcome: 'appended' });
      });

      test('stop an append once the other stream has moved, and report its revision', async () => {
        const chatGroup = newStream('chatGroup');
        await stored(append(chatGroup, [groupClosed, groupClosed]));
        const guards = [{ stream: chatGroup, revision: 0 }];
        const conflict = { outcome: 'conflict', stream: chatGroup, actual: 1 };
        expect(await store.append(say(newStream(), 'a', { guards }))).toEqual(conflict);
      });

      test('take effect in the order of the calls', async () => {
        const chatGroup = newStream('chatGroup');
        await stored(append(chatGroup, [groupClosed]));
        const conversation = newStream();
        const guards = [{ stream: chatGroup, revision: 0 }];
        const verdicts = await Promise.all([
          store.append(say(conversation, 'before', { guards })),
          store.append(append(chatGroup, [groupClosed])),
          store.append(say(conversation, 'after', { guards })),
        ]);
        expect(verdicts.map(({ outcome }) => outcome)).toEqual(['appended', 'appended', 'conflict']);
      });
    });

    describe('guards about one user', () => {
      const [ada, bob] = [UserId.parse(randomUUID()), UserId.parse(randomUUID())];
      const guarded = (stream: Stream, revision: number) =>
        say(newStream(), 'a', { guards: [{ stream, revision, about: ada }] });

      test('pass while other users come and go', async () => {
        const chatGroup = newStream('chatGroup');
        await stored(append(chatGroup, [memberJoined(ada), memberJoined(bob), memberLeft(bob)]));
        expect(await store.append(guarded(chatGroup, 0))).toMatchObject({ outcome: 'appended' });
      });

      test.each([
        ['names the user', memberLeft(ada)],
        ['names no user', groupClosed],
      ])('are broken by an event that %s', async (_, event) => {
        const chatGroup = newStream('chatGroup');
        await stored(append(chatGroup, [memberJoined(ada), memberJoined(bob), event, memberLeft(bob)]));
        const conflict = { outcome: 'conflict', stream: chatGroup, actual: 3 };
        expect(await store.append(guarded(chatGroup, 0))).toEqual(conflict);
        expect(await store.append(guarded(chatGroup, 2))).toMatchObject({ outcome: 'appended' });
      });

      test('fail when they are far behind the stream, or ahead of it', async () => {
        const chatGroup = newStream('chatGroup');
        const joined = range(MOST_BEHIND + 2).map(() => memberJoined(bob));
        await stored(append(chatGroup, joined));
        expect(await store.append(guarded(chatGroup, 0))).toMatchObject({ outcome: 'conflict' });
        expect(await store.append(guarded(chatGroup, 1))).toMatchObject({ outcome: 'appended' });
        expect(await store.append(guarded(chatGroup, MOST_BEHIND + 2))).toMatchObject({
          outcome: 'conflict',
        });
      });

      test('take effect in the order of the calls', async () => {
        const chatGroup = newStream('chatGroup');
        await stored(append(chatGroup, [memberJoined(ada)]));
        const verdicts = await Promise.all([
          store.append(guarded(chatGroup, 0)),
          store.append(append(chatGroup, [memberJoined(bob)])),
          store.append(guarded(chatGroup, 0)),
          store.append(append(chatGroup, [memberLeft(ada)])),
          store.append(guarded(chatGroup, 0)),
        ]);
        const outcomes = verdicts.map(({ outcome }) => outcome);
        expect(outcomes).toEqual(['appended', 'appended', 'appended', 'appended', 'conflict']);
      });
    });

    describe('a repeated event id', () => {
      test('returns the first outcome, whatever else the repetition contains', async () => {
        const first = append(newStream(), [messageSent('a'), messageSent('b')]);
        const events = await stored(first);
        const again = { ...say(newStream(), 'other', { expected: 7 }), events: first.events };
        expect(await store.append(first)).toEqual({ outcome: 'duplicate', events });
        expect(await store.append(again)).toEqual({ outcome: 'duplicate', events });
        const missed = { ...first, guards: [{ stream: newStream(), revision: 3 }] };
        expect(await store.append(missed)).toEqual({ outcome: 'duplicate', events });
        expect(await since()).toEqual(events);
      });

      test('is stored once for concurrent appends', async () => {
        const same = say(newStream(), 'a');
        const verdicts = await Promise.all(range(10).map(() => store.append(same)));
        expect(verdicts.filter(({ outcome }) => outcome === 'appended')).toHaveLength(1);
        expect(verdicts.filter(({ outcome }) => outcome === 'duplicate')).toHaveLength(9);
        expect(await since()).toHaveLength(1);
      });
    });

    describe('concurrent appends', () => {
      test('succeed next to failing ones', async () => {
        const taken = newStream();
        const known = say(taken, 'known');
        await stored(known);
        const shared = newStream();
        const verdicts = await Promise.all([
          store.append(say(shared, 'a')),
          store.append(known),
          store.append(append(shared, [messageSent('b'), messageSent('c')])),
          store.append(say(taken, 'x', { expected: 5 })),
          store.append(say(newStream(), 'y', { guards: [{ stream: taken, revision: 8 }] })),
          store.append(say(shared, 'd')),
          store.append(say(taken, 'e')),
        ]);
        expect(verdicts.map(({ outcome }) => outcome)).toEqual([
          'appended',
          'duplicate',
          'appended',
          'conflict',
          'conflict',
          'appended',
          'appended',
        ]);
        expect(verdicts.slice(3, 5)).toEqual(
          range(2).map(() => ({ outcome: 'conflict', stream: taken, actual: 0 })),
        );
        const answered = verdicts.flatMap((v) => (v.outcome === 'appended' ? v.events : []));
        expect(answered).toHaveLength(5);
        const inOrder = answered.toSorted((a, b) => a.position - b.position);
        expect((await since()).slice(1)).toEqual(inOrder);
        expect((await store.readStream(shared)).map(textOf)).toEqual(['a', 'b', 'c', 'd']);
      });

      test('give one stream dense revisions, in the order of the calls', async () => {
        const stream = newStream();
        const texts = range(200).map((n) => `message ${n}`);
        await Promise.all(texts.map((text) => stored(say(stream, text))));
        const events = await store.readStream(stream);
        expect(events.map(({ revision }) => revision)).toEqual(range(200));
        expect(events.map(textOf)).toEqual(texts);
      });

      test('are not lost when one arrives while the previous one is being answered', async () => {
        const stream = newStream();
        for (const turns of range(30)) {
          await stored(say(stream, `after ${turns} turns`));
          for (const _ of range(turns)) await Promise.resolve();
        }
        expect(await store.readStream(stream)).toHaveLength(30);
      });

      test('with the same expected revision have one winner', async () => {
        const stream = newStream();
        for (const revision of range(3)) {
          const expected = revision - 1;
          const verdicts = await Promise.all(
            range(50).map((n) => store.append(say(stream, `${n}`, { expected }))),
          );
          expect(verdicts.filter(({ outcome }) => outcome === 'appended')).toHaveLength(1);
          const losers = verdicts.filter(({ outcome }) => outcome === 'conflict');
          expect(losers).toEqual(range(49).map(() => ({ outcome: 'conflict', stream, actual: revision })));
        }
      });
    });

    describe('reading', () => {
      test('returns events as they are stored, with the time at which the log took them', async () => {
        const before = Date.now() - 5_000;
        const stream = newStream();
        const [closed] = await stored(append(newStream('chatGroup'), [groupClosed]));
        const said = await stored(append(stream, [messageSent('Grüße "👋"'), messageSent('b')]));
        const found = await store.readStored({ after: base, limit: 2 });
        const [first, second] = found;
        const { id, revision, position, type, v, occurredAt } = closed!;
        expect(first).toMatchObject({ id, stream: closed!.stream, revision, position, type, v, occurredAt });
        expect(JSON.parse(first!.data)).toEqual(closed!.data);
        expect(JSON.parse(first!.metadata)).toMatchObject({ actorId: closed!.metadata.actorId });
        expect(first!.recordedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        expect(Date.parse(first!.recordedAt!)).toBeGreaterThan(before);
        expect(second).toMatchObject({ id: said[0]!.id, stream, type: 'MessageSent' });
        const rest = await store.readStored({ after: second!.position, limit: 9 });
        expect(rest.map((event) => event.id)).toEqual([said[1]!.id]);
      });

      test('finds nothing that was not stored', async () => {
        expect(await since()).toEqual([]);
        expect(await store.readStream(newStream())).toEqual([]);
        expect(await store.find(randomUUID())).toBeUndefined();
        expect(await store.revisions([newStream()])).toEqual(new Map());
      });

      test('pages through a stream', async () => {
        const stream = newStream();
        await stored(
          append(
            stream,
            range(5).map((n) => messageSent(`${n}`)),
          ),
        );
        await stored(say(newStream(), 'elsewhere'));
        const texts = async (options?: { from?: number; limit?: number }) =>
          (await store.readStream(stream, options)).map(textOf);
        expect(await texts({ limit: 2 })).toEqual(['0', '1']);
        expect(await texts({ from: 2, limit: 2 })).toEqual(['2', '3']);
        expect(await texts({ from: 4 })).toEqual(['4']);
        expect(await texts({ from: 5 })).toEqual([]);
      });

      test('pages through the whole log in order and without holes, and filters types', async () => {
        const verdicts = range(30).map((n) =>
          stored(append(newStream(), n % 3 ? [messageSent(`${n}`)] : [groupClosed])),
        );
        const all = (await Promise.all(verdicts)).flat().toSorted((a, b) => a.position - b.position);
        const first = await store.readAll({ after: base, limit: 20 });
        const rest = await store.readAll({ after: first.at(-1)!.position, limit: 20 });
        expect([first.length, rest.length]).toEqual([20, 10]);
        expect([...first, ...rest]).toEqual(all);
        const after = all[2]!.position;
        const closed = await store.readAll({ after, limit: 5, types: ['GroupClosed', 'JobClosed'] });
        expect(closed).toEqual(
          all.filter(({ type, position }) => type === 'GroupClosed' && position > after).slice(0, 5),
        );
        expect(await store.readAll({ after: base, limit: 5, types: [] })).toEqual([]);
      });

      test('finds events of one type that are far apart', async () => {
        const others = () =>
          append(
            newStream(),
            range(900).map((n) => messageSent(`${n}`)),
          );
        const closed: Recorded[] = [];
        for (let round = 0; round < 3; round += 1) {
          closed.push(...(await stored(append(newStream(), [groupClosed]))));
          for (let n = 0; n < 4; n += 1) await stored(others());
        }
        const read = (limit: number) => store.readAll({ after: base, limit, types: ['GroupClosed'] });
        expect(await read(2)).toEqual(closed.slice(0, 2));
        expect(await read(10)).toEqual(closed);
      });

      test('returns the head and the revisions of the streams that have events', async () => {
        const [a, b, none] = [newStream(), newStream(), newStream()];
        await stored(append(a, [messageSent('1'), messageSent('2')]));
        const [last] = await stored(say(b, '1'));
        expect(await store.head()).toBe(last!.position);
        expect(await store.revisions([a, b, none])).toEqual(
          new Map([
            [a, 1],
            [b, 0],
          ]),
        );
      });
    });

    describeSubscriptions(() => store);
  });
}

/**
 * The additional contract of adapters that number the positions themselves. `open` returns an empty store.
 */
export function describeGaplessPositions(name: string, open: Open) {
  test(`the log ${name} numbers its events from 1, without holes`, async () => {
    const { store, close } = await open();
    expect(await store.head()).toBe(0);
    await Promise.all(
      range(20).map((n) => store.append(append(newStream(), [messageSent(`${n}`), groupClosed]))),
    );
    const all = await store.readAll({ after: 0, limit: 100 });
    expect(all.map(({ position }) => position)).toEqual(range(40).map((n) => n + 1));
    expect(await store.head()).toBe(40);
    await close();
  });
}
