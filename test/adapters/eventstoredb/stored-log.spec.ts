import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { pino } from 'pino';
import { createEventStoreDbClient } from '../../../src/adapters/eventstoredb/client.ts';
import { createStoredLog } from '../../../src/adapters/eventstoredb/stored-log.ts';
import type { EventFilter } from '../../../src/audit/filter.ts';
import { PositionUnknown, type StoredLog } from '../../../src/audit/stored-log.ts';
import type { EventStore, StoredEvent } from '../../../src/events/event-store.ts';
import type { Stream } from '../../../src/events/streams.ts';
import { newStream, range, say } from '../../support/language/appends.ts';
import { type EventStoreDb, startEventStoreDb } from '../../support/eventstoredb/eventstoredb.ts';
import { type EventStoreDbStage, stageEventStoreDb } from '../../support/eventstoredb/stage.ts';

describe('what audits read of a log in EventStoreDB', () => {
  let server: EventStoreDb;
  let stage: EventStoreDbStage;
  let store: EventStore;
  let admin: EventStoreDBClient;
  let client: ReturnType<typeof createEventStoreDbClient>;
  let storedLog: StoredLog;

  beforeEach(async () => {
    server = await startEventStoreDb();
    stage = await stageEventStoreDb(server.url);
    store = await stage.open();
    admin = EventStoreDBClient.connectionString(server.url);
    client = createEventStoreDbClient({ url: server.url, log: pino({ level: 'silent' }) });
    storedLog = createStoredLog({ client, store });
  });
  afterEach(async () => {
    server.faults.lift();
    await client.close();
    await admin.dispose();
    await stage.close();
    await server.stop();
  });

  const talk = async (stream: Stream, count: number) => {
    for (const n of range(count)) await store.append(say(stream, `Message ${n}`));
  };
  const foreign = (stream: string) =>
    admin.appendToStream(stream, jsonEvent({ type: 'MessageSent', data: { a: 1 } }));
  /** Reads from the start to the end of the log. */
  async function found(filter: EventFilter): Promise<StoredEvent[]> {
    const all: StoredEvent[] = [];
    for (let after = 0; ;) {
      const { events, to, isEnd } = await storedLog.read(filter, { after, limit: 4 });
      all.push(...events);
      if (isEnd) return all;
      expect(to).toBeGreaterThan(after);
      after = to;
    }
  }

  test('tells of a single stream when the server took its events, and leaves out what others wrote there', async () => {
    const stream = newStream();
    await talk(stream, 2);
    await foreign(stream);
    await talk(stream, 1);
    const all = await store.readStored({ after: 0, limit: 100 });
    const ofStream = await storedLog.ofStream(stream, { from: 0, limit: 2 });
    expect(ofStream).toStrictEqual(all.slice(0, 2));
    expect(ofStream[0]!.recordedAt).toMatch(/^\d{4}-.+Z$/);
    expect(await storedLog.ofStream(stream, { from: 2, limit: 1 })).toStrictEqual(all.slice(3));
  });

  test('shows the events of a stream that was truncated, deleted or closed for good', async () => {
    const damage: ((stream: Stream) => Promise<unknown>)[] = [
      (stream) => admin.setStreamMetadata(stream, { truncateBefore: 2 }),
      (stream) => admin.deleteStream(stream),
      (stream) => admin.tombstoneStream(stream),
    ];
    for (const harm of damage) {
      const [stream, other] = [newStream(), newStream()];
      await Promise.all([talk(stream, 6), talk(other, 6)]);
      await harm(stream);
      const sent = (await found({ stream })).filter(({ type }) => type === 'MessageSent');
      expect(sent.map(({ revision }) => revision)).toStrictEqual(range(6));
    }
  });

  test('leaves out streams, types and categories whose names only begin alike, and those of others', async () => {
    const stream = newStream();
    await talk(stream, 3);
    await talk(`${stream}0`, 3);
    for (const name of ['conversations-1', 'theirs-1']) await foreign(name);
    expect(await found({ stream })).toHaveLength(3);
    expect(await found({ types: ['MessageSent'] })).toHaveLength(6);
    expect(await found({ types: ['Message'] })).toHaveLength(0);
    expect(await found({ category: 'conversation' })).toHaveLength(6);
  });

  test('goes through the log itself when the server searches for long', async () => {
    await Promise.all(range(3).map((n) => talk(newStream(), 3 + n)));
    const filter: EventFilter = { types: ['MessageSent'] };
    const before = await found(filter);
    server.faults.searchLong();
    expect(before).toHaveLength(12);
    expect(await found(filter)).toStrictEqual(before);
  });

  test('knows no position that is none of the log, and needs none along a stream', async () => {
    const stream = newStream();
    await talk(stream, 3);
    const [first] = await store.readStored({ after: 0, limit: 1 });
    const after = first!.position + 1;
    await expect(storedLog.read({}, { after, limit: 9 })).rejects.toThrow(new PositionUnknown(after));
    expect((await storedLog.read({ stream }, { after, limit: 9 })).events).toHaveLength(2);
  });

  test('takes what the server has found in a moment', async () => {
    await talk(newStream(), 9);
    const all = (await store.readStored({ after: 0, limit: 100 })).map(({ position }) => position);
    const search = async (enoughMs: number) => {
      const { events, isEnd } = await client.search(0, 100, { types: ['MessageSent'] }, enoughMs);
      return { positions: events.map(({ position }) => position), isEnd };
    };
    expect(await search(0)).toStrictEqual({ positions: all.slice(0, 1), isEnd: false });
    expect(await search(Infinity)).toStrictEqual({ positions: all, isEnd: true });
  });
});
