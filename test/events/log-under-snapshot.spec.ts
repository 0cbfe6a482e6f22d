import pg from 'pg';
import { pino } from 'pino';
import { createPool } from '../../src/adapters/postgres/connection.ts';
import {
  createPostgresEventStore,
  type PostgresEventStore,
} from '../../src/adapters/postgres/event-log/event-store.ts';
import { newStream, range, say } from '../support/language/appends.ts';
import { createTestDatabase, type TestDatabase } from '../support/stages/database.ts';

const log = pino({ level: 'silent' });

/** Holds a snapshot, as a backup or a rebuild does. */
describe('the log on PostgreSQL, while another transaction holds a snapshot', () => {
  let database: TestDatabase;
  let store: PostgresEventStore;
  let pool: pg.Pool;
  let owner: pg.Client;
  let holder: pg.Client;
  beforeEach(async () => {
    database = await createTestDatabase();
    pool = createPool({ url: database.url, max: 2, applicationName: 'test reads', log });
    store = createPostgresEventStore({ pool, url: database.url, log });
    await store.start();
    [owner, holder] = [database.ownerUrl, database.ownerUrl].map(
      (connectionString) => new pg.Client({ connectionString }),
    ) as [pg.Client, pg.Client];
    await Promise.all([owner.connect(), holder.connect()]);
    await holder.query('begin isolation level repeatable read');
    await holder.query('select from events');
  });
  afterEach(async () => {
    await Promise.all([owner.end(), holder.end(), store.close()]);
    await pool.end();
    await database.drop();
  });

  /** Returns the number of pages that a statement reads, with the plan of the append connection. */
  async function pagesOf(statement: string): Promise<number> {
    await owner.query('set enable_seqscan = off');
    const { rows } = await owner.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
      `explain (analyze, buffers, format json) ${statement}`,
    );
    const { Plan: plan } = rows[0]!['QUERY PLAN'][0];
    return plan['Shared Hit Blocks']! + plan['Shared Read Blocks']!;
  }

  const appendOne = (stream: string) => `select * from append_events(
    '{${stream}}', '{null}', '{1}', '{0}', '{0}', '{}', '{}', '{}', '{1}', '{0}', '{${stream}}',
    array[gen_random_uuid()], '{GroupClosed}', '{1}', array['{}'::json], array['{}'::json], array[now()])`;

  test('an append and a read of the head cost the same after 1,500 appends as after 100', async () => {
    const stream = newStream();
    const costs = async () => {
      let last = { append: 0, head: 0 };
      // The first run may also read catalogue pages for the plan.
      for (const _ of range(2))
        last = {
          append: await pagesOf(appendOne(stream)),
          head: await pagesOf('select position from log_head'),
        };
      return last;
    };
    for (const n of range(100)) await store.append(say(stream, `${n}`));
    const before = await costs();
    for (const n of range(1_500)) await store.append(say(stream, `${n}`));
    const after = await costs();
    // Allows one more index level, but not pages in proportion to dead row versions.
    expect(after.append).toBeLessThan(before.append + 20);
    expect(after.head).toBeLessThan(before.head + 5);
    expect(await store.head()).toBe(1_604);
  });
});
