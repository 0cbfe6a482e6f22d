import pg from 'pg';
import { type EventFilter, matches } from '../../src/audit/filter.ts';
import { type StoredLog, scanStoredLog } from '../../src/audit/stored-log.ts';
import type { DomainEvent } from '../../src/events/domain-event.ts';
import type { StoredEvent } from '../../src/events/event-store.ts';
import { conversationStream } from '../../src/events/streams.ts';
import { newId } from '../../src/kit/uuids.ts';
import { createPostgresEventStore } from '../../src/adapters/postgres/event-log/event-store.ts';
import { createStoredLog } from '../../src/adapters/postgres/event-log/stored-log.ts';
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
import { linesOf } from '../support/log-lines.ts';
import { createTestDatabase } from '../support/stages/database.ts';

const time = (n: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, n)).toISOString();

/** Both ways of reading give the same, so the one without SQL serves as the model of the other. */
describe('the stored log', () => {
  const stops: (() => Promise<unknown>)[] = [];
  let ways: [string, StoredLog][];
  let all: StoredEvent[];
  const causeId = newId();
  const correlationId = newId();

  beforeAll(async () => {
    const database = await createTestDatabase();
    const pool = new pg.Pool({ connectionString: database.url, max: 4 });
    const store = createPostgresEventStore({ pool, url: database.url, log: linesOf('info').log });
    await store.start();
    stops.push(
      () => store.close(),
      () => pool.end(),
      () => database.drop(),
    );
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
      ['by SQL', createStoredLog(pool)],
      ['event by event', scanStoredLog(store)],
    ];
  });
  afterAll(async () => {
    for (const stop of stops) await stop();
  });

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
    for (const [way, log] of ways)
      for (const limit of [1, 3, 1_000])
        for (const start of [0, 7, 20]) {
          const found: StoredEvent[] = [];
          for (let after = start; ;) {
            const { events, to, isEnd } = await log.read(filter, { after, limit });
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
    for (const [, log] of ways) {
      expect(await log.read({}, { after: all.length, limit: 5 })).toStrictEqual({
        events: [],
        to: all.length,
        isEnd: true,
      });
      expect(await log.read({}, { after: all.length - 2, limit: 2 })).toMatchObject({ isEnd: true });
      expect(await log.read({}, { after: all.length - 2, limit: 1 })).toMatchObject({ isEnd: false });
    }
  });

  test('finds what an event caused, and says when there is more', async () => {
    const cause = all[2]!;
    for (const [, log] of ways) {
      expect(await log.causedBy(cause, 10)).toStrictEqual({ events: all.slice(3, 6), isComplete: true });
      expect(await log.causedBy(cause, 2)).toStrictEqual({ events: all.slice(3, 5), isComplete: false });
      expect(await log.causedBy(all[9]!, 2)).toStrictEqual({ events: [], isComplete: true });
    }
  });
});
