import type pg from 'pg';
import { pino } from 'pino';
import { createPool } from '../../../src/adapters/postgres/connection.ts';
import { createFollowerLags } from '../../../src/adapters/postgres/follower-lags.ts';
import type { EventStore, StoredEvent } from '../../../src/events/event-store.ts';
import { type TestDatabase, createTestDatabase } from '../../support/stages/database.ts';

const HEAD = 200;
const PLACE = 'file:///checkpoints.ndjson';

let database: TestDatabase;
let pool: pg.Pool;
/** The positions after which the log was read. */
let readAfter: number[];
beforeEach(async () => {
  database = await createTestDatabase();
  readAfter = [];
  const log = pino({ level: 'silent' });
  pool = createPool({ url: database.url, max: 2, applicationName: 'lags', log });
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

/** A log whose events were each stored as many seconds ago as there are events up to the head. */
const store: Pick<EventStore, 'head' | 'readStored'> = {
  head: async () => HEAD,
  async readStored({ after }) {
    readAfter.push(after);
    const storedAt = new Date(Date.now() - (HEAD - after) * 1_000).toISOString();
    return [{ position: after + 1, occurredAt: storedAt, recordedAt: null }] as StoredEvent[];
  },
};
const lagsOf = (...followers: string[]) => createFollowerLags({ pool, store, followers, sealPlace: PLACE })();
const standsAt = (name: string, position: number) =>
  pool.query('insert into checkpoints (name, position) values ($1, $2)', [name, position]);

describe('the lags of followers', () => {
  test('are those of their checkpoints, in events, seconds and parts of the log', async () => {
    await standsAt('jobs', HEAD);
    await standsAt('conversations', 150);
    await standsAt('conversations_next', 0);
    expect(await lagsOf('jobs', 'conversations', 'never run')).toEqual(
      expect.arrayContaining([
        { follower: 'jobs', positions: 0, seconds: 0, handled: 1 },
        { follower: 'conversations', positions: 50, seconds: expect.any(Number), handled: 0.75 },
      ]),
    );
    const [{ seconds } = { seconds: 0 }] = await lagsOf('conversations');
    expect(Math.round(seconds / 10)).toBe(5);
  });

  test('read the log once for followers at the same place', async () => {
    for (const name of ['accounts', 'jobs', 'files']) await standsAt(name, 10);
    expect(await lagsOf('accounts', 'jobs', 'files')).toHaveLength(3);
    expect(readAfter).toEqual([10]);
  });

  test('include the seal, once something is sealed at its place', async () => {
    await pool.query('insert into seals (place) values ($1)', [PLACE]);
    expect(await lagsOf()).toEqual([]);
    await pool.query(`update seals set checkpoint = '{"position": "199"}'`);
    expect(await lagsOf()).toEqual([
      { follower: 'seal', positions: 1, seconds: expect.any(Number), handled: 0.995 },
    ]);
  });
});
