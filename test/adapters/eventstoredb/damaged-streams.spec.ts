import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { pino } from 'pino';
import { AggregateLoader } from '../../../src/commands/aggregate-cache.ts';
import { chatGroupOf } from '../../../src/commands/chat-group/chat-group.ts';
import { createFoldCache } from '../../../src/adapters/memory/fold-cache.ts';
import type { EventStoreDbEventStore } from '../../../src/adapters/eventstoredb/event-store.ts';
import { type Recorded, StreamDamaged } from '../../../src/events/event-store.ts';
import type { Stream } from '../../../src/events/streams.ts';
import { GroupId } from '../../../src/events/ids.ts';
import { append, groupClosed, newStream, say } from '../../support/language/appends.ts';
import { type EventStoreDb, startEventStoreDb } from '../../support/eventstoredb/eventstoredb.ts';
import { type EventStoreDbStage, stageEventStoreDb } from '../../support/eventstoredb/stage.ts';
import { until } from '../../../tools/until.ts';

/** A real server, which keeps what earlier tests stored. */
const realUrl = process.env['EVENTSTOREDB_TEST_URL'];

describe('A damaged stream on EventStoreDB', () => {
  let server: EventStoreDb | undefined;
  let stage: EventStoreDbStage;
  let store: EventStoreDbEventStore;
  let admin: EventStoreDBClient;
  let base: number;
  const damage = new Map<string, string>();
  const done = new AbortController();

  beforeAll(async () => {
    server = realUrl ? undefined : await startEventStoreDb();
    const url = realUrl ?? server!.url;
    stage = await stageEventStoreDb(url, pino({ level: 'silent' }), ({ stream, reason }) =>
      damage.set(stream, reason),
    );
    store = await stage.open();
    admin = EventStoreDBClient.connectionString(url);
  });
  beforeEach(async () => {
    base = await store.head();
  });
  afterAll(async () => {
    done.abort();
    await stage.close();
    await admin.dispose();
    await server?.stop();
  });

  /** Collects all events after the start of the test, as a follower that keeps running. */
  function follow(from: EventStoreDbEventStore): Recorded[] {
    const seen: Recorded[] = [];
    void (async () => {
      for await (const batch of from.subscribe({ after: base, signal: done.signal })) seen.push(...batch);
    })();
    return seen;
  }
  const appended = async (stream: Stream, text: string, options = {}): Promise<Recorded> => {
    const verdict = await store.append(say(stream, text, options));
    if (verdict.outcome !== 'appended') throw new Error(JSON.stringify(verdict));
    return verdict.events[0]!;
  };
  const foreign = (stream: Stream) =>
    admin.appendToStream(stream, jsonEvent({ type: 'Foreign', data: { a: 1 } }));

  test('that has a tombstone stops no follower, is reported, and refuses appends of its own only', async () => {
    const [gone, other] = [newStream(), newStream()];
    const seen = follow(store);
    const first = await appended(gone, 'first');
    await admin.tombstoneStream(gone);
    const second = await appended(other, 'second');
    await until(() => seen.length === 2);
    expect(seen).toEqual([first, second]);
    expect(await store.head()).toBe(second.position);
    expect(await store.readAll({ after: base, limit: 10 })).toEqual([first, second]);
    await until(() => damage.has(gone));
    expect(damage.get(gone)).toBe('was deleted');

    await expect(store.append(say(gone, 'third'))).rejects.toThrow(StreamDamaged);
    await expect(store.append(say(gone, 'third', { expected: 0 }))).rejects.toThrow(StreamDamaged);
    const guarded = say(other, 'third', { guards: [{ stream: gone, revision: 0 }] });
    await expect(store.append(guarded)).rejects.toThrow(`the stream ${gone} was deleted`);
    expect(await store.readStream(gone)).toEqual([]);
    expect(await store.revisions([gone, other])).toEqual(new Map([[other, 0]]));
    expect(store.failure()).toBeUndefined();
  });

  test('that was deleted before a process started refuses appends there, too', async () => {
    const [gone, other] = [newStream(), newStream()];
    await appended(gone, 'first');
    await admin.tombstoneStream(gone);
    const last = await appended(other, 'second');
    await until(async () => (await stage.indexed()) >= last.position);
    const later = await stage.open();
    const seen = follow(later);
    await expect(later.append(say(gone, 'third'))).rejects.toThrow(StreamDamaged);
    expect((await later.append(say(other, 'third'))).outcome).toBe('appended');
    await until(() => seen.length === 3);
    const repeated = { ...say(other, 'x'), events: [{ id: seen[0]!.id, event: seen[0] as never }] };
    await expect(later.append(repeated)).rejects.toThrow(StreamDamaged);
    expect(await later.find(seen[0]!.id)).toBeUndefined();
  });

  test('is read as it is stored with its tombstone, and a foreign event', async () => {
    const [gone, other] = [newStream(), newStream()];
    await appended(gone, 'first');
    await admin.tombstoneStream(gone);
    await foreign(other);
    const stored = await store.readStored({ after: base, limit: 10 });
    expect(stored.map(({ stream, type }) => [stream, type])).toEqual([
      [gone, 'MessageSent'],
      [gone, '$streamDeleted'],
      [other, 'Foreign'],
    ]);
  });

  test('that ends the log with a tombstone leaves the head where the last readable event is', async () => {
    const stream = newStream();
    const only = await appended(stream, 'only');
    await admin.tombstoneStream(stream);
    await until(() => damage.has(stream));
    expect(await store.head()).toBe(only.position);
    expect(await (await stage.open()).head()).toBe(only.position);
  });

  test('that another program wrote to is read around, and has a gap in its revisions', async () => {
    const [stream, other] = [newStream(), newStream()];
    const seen = follow(store);
    const first = await appended(stream, 'first');
    await foreign(stream);
    const third = await appended(stream, 'third');
    const fourth = await appended(other, 'fourth');
    await until(() => seen.length === 3);
    expect(seen).toEqual([first, third, fourth]);
    expect([first, third].map(({ revision }) => revision)).toEqual([0, 2]);
    expect(await store.readStream(stream)).toEqual([first, third]);
    expect(await store.readStream(stream, { from: 1, limit: 1 })).toEqual([third]);
    expect(damage.get(stream)).toMatch(/^the event at position \d+ cannot be read: Foreign: /);
  });

  test('that ends with an event of another program keeps its revision, so that no append is lost', async () => {
    const stream = newStream();
    const first = await appended(stream, 'first');
    await foreign(stream);
    expect(await store.head()).toBe(first.position);
    expect(await store.append(say(stream, 'third', { expected: 0 }))).toMatchObject({
      outcome: 'conflict',
      actual: 1,
    });
    expect(await store.revisions([stream])).toEqual(new Map([[stream, 1]]));
    expect((await appended(stream, 'third')).revision).toBe(2);
  });

  test('that was truncated is read from where it now begins, and has no state', async () => {
    const stream = newStream('chatGroup');
    await store.append(append(stream, [groupClosed, groupClosed, groupClosed]));
    await admin.setStreamMetadata(stream, { truncateBefore: 2 });
    expect((await store.readStream(stream)).map(({ revision }) => revision)).toEqual([2]);
    expect(damage.get(stream)).toBe('has been truncated before revision 2');
    const groupId = GroupId.parse(stream.slice('chatGroup-'.length));
    const loaded = await new AggregateLoader(store, createFoldCache()).load(chatGroupOf(groupId));
    expect(loaded).toMatchObject({ state: { status: 'none' }, revision: 2, isDamaged: true });
  });
});
