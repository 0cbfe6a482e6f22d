import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { pino } from 'pino';
import { EventStoreUnavailable, type Recorded } from '../../../src/events/event-store.ts';
import {
  createEventStoreDbEventStore,
  type EventStoreDbEventStore,
} from '../../../src/adapters/eventstoredb/event-store.ts';
import { groupClosed, newStream, range, say } from '../../support/language/appends.ts';
import { type EventStoreDb, startEventStoreDb } from '../../support/eventstoredb/eventstoredb.ts';
import { type EventStoreDbStage, stageEventStoreDb } from '../../support/eventstoredb/stage.ts';
import { until } from '../../../tools/until.ts';

describe('a follower of a log on EventStoreDB', () => {
  let server: EventStoreDb;
  let stage: EventStoreDbStage;
  let store: EventStoreDbEventStore;
  let other: EventStoreDbEventStore;
  let done: AbortController;
  beforeEach(async () => {
    server = await startEventStoreDb();
    stage = await stageEventStoreDb(server.url);
    [store, other] = [await stage.open(), await stage.open()];
    done = new AbortController();
  });
  afterEach(async () => {
    done.abort();
    await stage.close();
    await server.stop();
  });

  /** Collects everything after a position until the test ends. */
  function follow(from: EventStoreDbEventStore, after = 0): Recorded[] {
    const seen: Recorded[] = [];
    void (async () => {
      for await (const batch of from.subscribe({ after, signal: done.signal })) seen.push(...batch);
    })();
    return seen;
  }
  const write = (count: number) =>
    Promise.all(range(count).map((n) => other.append(say(newStream(), `${n}`))));
  const all = () => other.readAll({ after: 0, limit: 10_000 });

  test.each<[string, (server: EventStoreDb) => unknown]>([
    ['break', ({ faults }) => faults.dropStreams()],
    ['end without an error', ({ faults }) => faults.endStreams()],
    ['fall silent', ({ faults }) => (faults.silence(), faults.lift())],
  ])('gets events promptly again, by a new subscription, soon after subscriptions %s', async (_, fault) => {
    await write(1);
    const seen = follow(store);
    await until(() => seen.length === 1);
    const before = server.subscriptions();
    await fault(server);
    // An event that no subscription delivers reveals the silence.
    await store.append(say(newStream(), 'unheard'));
    await until(() => server.subscriptions() >= before + 3, 'three processes to subscribe again');
    await until(() => seen.length === 2);
    // Now only a subscription can deliver it.
    server.faults.unavailable(Infinity, 'read');
    const raw = EventStoreDBClient.connectionString(server.url);
    const { type, data } = groupClosed;
    const metadata = { $correlationId: 'c', actorId: null, occurredAt: '2026-01-01T00:00:00.000Z', v: 1 };
    await raw.appendToStream('chatGroup-1', jsonEvent({ type, data, metadata }));
    await until(() => seen.length === 3);
    server.faults.lift();
    await raw.dispose();
  });

  test.each<[string, (server: EventStoreDb) => unknown]>([
    ['break', ({ faults }) => faults.dropStreams()],
    ['end without an error', ({ faults }) => faults.endStreams()],
    ['deliver their last events again', ({ faults }) => faults.deliverTwice()],
    ['fall behind', ({ faults }) => faults.fallBehind()],
    ['fall silent', ({ faults }) => (faults.silence(), faults.lift())],
    ['end with the server, which restarts', (restarted) => restarted.restart()],
  ])('misses nothing and gets nothing twice when subscriptions %s', async (_, fault) => {
    const seen = follow(store);
    const writing = (async () => {
      for (const n of range(12)) {
        await write(10);
        if (n % 4 === 2) await fault(server);
      }
    })();
    await writing;
    await until(() => seen.length >= 120);
    expect(seen).toEqual(await all());
    const head = await store.head();
    expect(seen.at(-1)!.position).toBe(head);
  });

  test('resumes after a crash at the first unhandled event, even if the server reported a later position', async () => {
    await write(100);
    const handled: Recorded[] = [];
    for await (const batch of store.subscribe({ after: 0, limit: 10, signal: done.signal })) {
      handled.push(...batch);
      if (handled.length >= 40) break;
    }
    await store.close();
    const again = await stage.open();
    const rest = follow(again, handled.at(-1)!.position);
    await write(20);
    await until(() => handled.length + rest.length >= 120);
    expect([...handled, ...rest]).toEqual(await all());
  });

  test('is overtaken by reading when its subscription delivers more slowly than callers need', async () => {
    await stage.stopIndexing();
    await write(300);
    // At this pace the subscription would need 15 s, and it never falls silent.
    server.faults.slowDown(50);
    const later = await stage.open();
    await expect(later.append(say(newStream(), 'at once'))).resolves.toMatchObject({ outcome: 'appended' });
    expect(later.failure()).toBeUndefined();
    server.faults.lift();
    await stage.startIndexing();
  });

  test('waits for an index that is far behind, refuses commands meanwhile, and says what is left', async () => {
    await stage.stopIndexing();
    await write(300);
    const later = await stage.open({ near: 1_000 });
    expect(later.failure()).toMatch(/^starting: about \d{3} events of the log to go$/);
    const early = say(newStream(), 'too early');
    await until(() =>
      later.append(early).then(
        () => false,
        (error: Error) => /^starting: about \d{3} events/.test(error.message),
      ),
    );
    await stage.startIndexing();
    await until(() => later.failure() === undefined, 'the start is complete');
    await expect(later.append(early)).resolves.toMatchObject({ outcome: 'appended' });
  });

  test('reads on alone when the index does not advance', async () => {
    await stage.stopIndexing();
    await write(100);
    const later = await stage.open({ near: 1_000 });
    await until(() => later.failure() === undefined, 'the start is complete');
    await expect(later.append(say(newStream(), 'alone'))).resolves.toMatchObject({ outcome: 'appended' });
    await stage.startIndexing();
  });

  test('learns why the log is unreachable, until it is back', async () => {
    follow(store);
    expect(store.failure()).toBeUndefined();
    server.faults.unavailable(Infinity, 'read');
    server.faults.dropStreams();
    await until(() => store.failure() !== undefined);
    await expect(store.head()).rejects.toBeInstanceOf(EventStoreUnavailable);
    await expect(store.readStream(newStream())).rejects.toBeInstanceOf(EventStoreUnavailable);
    server.faults.lift();
    await until(() => store.failure() === undefined);
    await expect(store.append(say(newStream(), 'a'))).resolves.toMatchObject({ outcome: 'appended' });
  });

  test('does not wait forever for a read that is never answered', async () => {
    server.faults.neverAnswer(1, 'read');
    await expect(store.readStream(newStream())).rejects.toBeInstanceOf(EventStoreUnavailable);
    await expect(store.readStream(newStream())).resolves.toEqual([]);
  });

  test('finds the end of our log behind many events of the server', async () => {
    await write(2);
    const seen = await all();
    const foreign = EventStoreDBClient.connectionString(server.url);
    const noise = range(200).map((n) => jsonEvent({ type: 'Noise', data: { n } }));
    await foreign.appendToStream('$noise', noise);
    await foreign.appendToStream('jobs', noise);
    expect(await store.head()).toBe(seen.at(-1)!.position);
    const fresh = await stage.open();
    expect(await fresh.head()).toBe(seen.at(-1)!.position);
    expect(await fresh.readAll({ after: 0, limit: 10 })).toEqual(seen);
    await foreign.dispose();
  });

  test('reads on when the server needs long to pass over the events of others', async () => {
    await write(3);
    server.faults.searchLong();
    expect(await store.readAll({ after: 0, limit: 10 })).toHaveLength(3);
    expect(store.failure()).toBeUndefined();
  });

  test('cannot start without a server', async () => {
    const ids = { find: () => Promise.resolve([]), position: () => Promise.resolve(0) };
    const log = pino({ level: 'silent' });
    const nowhere = createEventStoreDbEventStore({ url: 'esdb://127.0.0.1:1?tls=false', ids, log });
    await expect(nowhere.start()).rejects.toBeInstanceOf(EventStoreUnavailable);
    await nowhere.close();
  });
});
