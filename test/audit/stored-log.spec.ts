import pg from 'pg';
import { type EventFilter, matches } from '../../src/audit/filter.ts';
import type { StoredLog } from '../../src/audit/stored-log.ts';
import type { DomainEvent } from '../../src/events/domain-event.ts';
import type { EventStore, StoredEvent } from '../../src/events/event-store.ts';
import { conversationStream } from '../../src/events/streams.ts';
import { newId } from '../../src/kit/uuids.ts';
import { createPostgresEventStore } from '../../src/adapters/postgres/event-log/event-store.ts';
import { createStoredLog } from '../../src/adapters/postgres/event-log/stored-log.ts';
import { createEventStoreDbClient } from '../../src/adapters/eventstoredb/client.ts';
import { createStoredLog as createFilteringLog } from '../../src/adapters/eventstoredb/stored-log.ts';
import {
  acme,
  ada,
  bob,
  group,
  groupId,
  helloSent,
  jobPosted,
  registered,
} from '../support/language/example-events.ts';
import { streamOf } from '../support/language/history.ts';
import { scanStoredLog } from '../support/language/scanned-log.ts';
import { linesOf } from '../support/log-lines.ts';
import { startEventStoreDb } from '../support/eventstoredb/eventstoredb.ts';
import { stageEventStoreDb } from '../support/eventstoredb/stage.ts';
import { createTestDatabase } from '../support/stages/database.ts';

const time = (n: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, n)).toISOString();

/** A log, and the audits' own way of reading it. */
interface Log {
  store: EventStore;
  storedLog: StoredLog;
  close(): Promise<void>;
}

async function inPostgres(): Promise<Log> {
  const database = await createTestDatabase();
  const pool = new pg.Pool({ connectionString: database.url, max: 4 });
  const store = createPostgresEventStore({ pool, url: database.url, log: linesOf('info').log });
  await store.start();
  return {
    ...{ store, storedLog: createStoredLog(pool) },
    async close() {
      await store.close();
      await pool.end();
      await database.drop();
    },
  };
}

async function inEventStoreDb(): Promise<Log> {
  const server = await startEventStoreDb();
  const stage = await stageEventStoreDb(server.url);
  const store = await stage.open();
  const client = createEventStoreDbClient({ url: server.url, log: linesOf('info').log });
  return {
    ...{ store, storedLog: createFilteringLog({ client, store }) },
    async close() {
      await client.close();
      await stage.close();
      await server.stop();
    },
  };
}

/** All ways of reading give the same, so the one event by event serves as the model of the others. */
describe.each([
  ['PostgreSQL', inPostgres],
  ['EventStoreDB', inEventStoreDb],
])('the stored log in %s', (_name, open) => {
  let log: Log;
  let ways: [string, StoredLog][];
  let all: StoredEvent[];
  const causeId = newId();
  const correlationId = newId();

  beforeAll(async () => {
    log = await open();
    const { store, storedLog } = log;
    const history: DomainEvent[] = [registered(ada), registered(bob), jobPosted, ...group];
    for (let n = 0; n < 30; n += 1) history.push({ ...helloSent, data: { ...helloSent.data, text: `${n}` } });
    for (const [n, event] of history.entries())
      await store.append({
        stream: streamOf(event),
        events: [{ id: n === 2 ? causeId : newId(), event }],
        expected: 'any',
        occurredAt: time(n),
        metadata: {
          actorId: n % 3 === 0 ? null : [ada, acme][n % 2]!.userId,
          correlationId: n % 5 === 0 ? correlationId : newId(),
          causationId: n > 2 && n < 6 ? causeId : null,
        },
      });
    all = await store.readStored({ after: 0, limit: 1_000 });
    ways = [
      ['by its own means', storedLog],
      ['event by event', scanStoredLog(store)],
    ];
  });
  afterAll(() => log.close());

  const stream = conversationStream(groupId);
  const filters: EventFilter[] = [
    {},
    { stream },
    { stream, from: time(10), actor: ada.userId },
    { stream: conversationStream(helloSent.data.messageId as never) },
    { category: 'account' },
    { category: 'chatGroup', types: ['MemberJoined'] },
    { types: ['MessageSent', 'JobPosted'] },
    { actor: null },
    { actor: ada.userId, category: 'conversation' },
    { correlation: correlationId },
    { from: time(3), to: time(8) },
    { from: time(3), to: time(20), types: ['MessageSent'], actor: null, correlation: correlationId },
    { types: ['Nothing'] },
  ];

  test.each(filters)('finds the same in pages of any size, from anywhere: %j', async (filter) => {
    for (const [way, reader] of ways)
      for (const limit of [1, 3, 1_000])
        for (const start of [0, all[6]!.position, all[19]!.position]) {
          const found: StoredEvent[] = [];
          for (let after = start; ;) {
            const { events, to, isEnd } = await reader.read(filter, { after, limit });
            expect(events.length).toBeLessThanOrEqual(limit);
            found.push(...events);
            if (isEnd) break;
            expect(to).toBeGreaterThan(after);
            after = to;
          }
          const expected = all.filter((event) => event.position > start && matches(filter, event));
          expect({ way, limit, start, found }).toStrictEqual({ way, limit, start, found: expected });
        }
  });

  test('tells the end of the log from the end of a page', async () => {
    const end = all.at(-1)!.position;
    for (const [, reader] of ways) {
      expect(await reader.read({}, { after: end, limit: 5 })).toStrictEqual({
        events: [],
        to: end,
        isEnd: true,
      });
      expect(await reader.read({}, { after: all.at(-3)!.position, limit: 2 })).toMatchObject({ isEnd: true });
      expect(await reader.read({}, { after: all.at(-3)!.position, limit: 1 })).toMatchObject({
        isEnd: false,
      });
    }
  });

  test('finds what an event caused, and says when there is more', async () => {
    const cause = all[2]!;
    for (const [, reader] of ways) {
      expect(await reader.causedBy(cause, 10)).toStrictEqual({ events: all.slice(3, 6), isComplete: true });
      expect(await reader.causedBy(cause, 2)).toStrictEqual({ events: all.slice(3, 5), isComplete: false });
      expect(await reader.causedBy(all[9]!, 2)).toStrictEqual({ events: [], isComplete: true });
    }
  });
});
