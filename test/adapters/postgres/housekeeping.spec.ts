import pg from 'pg';
import { deleteInSlices } from '../../../src/adapters/postgres/delete-in-slices.ts';
import { EXPIRED, startHousekeeping } from '../../../src/adapters/postgres/housekeeping.ts';
import { columnTypes, createPool } from '../../../src/adapters/postgres/connection.ts';
import { createTestDatabase, type TestDatabase } from '../../support/stages/database.ts';
import { linesOf } from '../../support/log-lines.ts';
import { until } from '../../../tools/until.ts';

/** The statement timeout; deleting a row takes a millisecond or more. */
const STATEMENT_MS = 300;
const KEYS = 1_000;
const TABLE = 'idempotency_keys';
const keys = EXPIRED.find(({ table }) => table === TABLE)!;
const now = new Date();

let database: TestDatabase;
let owner: pg.Client;
let pool: pg.Pool;
const { log, lines } = linesOf('info');
beforeEach(async () => {
  database = await createTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl, types: columnTypes });
  await owner.connect();
  await owner.query(
    `create function take_a_while() returns trigger language plpgsql as $$
     begin perform pg_sleep(0.001); return old; end $$;
     create trigger slow before delete on idempotency_keys for each row execute function take_a_while();`,
  );
  await owner.query(
    `insert into idempotency_keys (scope, key, fingerprint, claimed_at)
     select 'ada', n::text, '', $1::timestamptz - interval '48 hours' + make_interval(secs => n)
     from generate_series(1, $2::int) n`,
    [now, KEYS],
  );
  await owner.query(`insert into idempotency_keys (scope, key, fingerprint) values ('ada', 'fresh', '')`);
  const settings = { url: database.url, max: 2, applicationName: 'housekeeping', log };
  pool = createPool({ ...settings, statementTimeoutMs: STATEMENT_MS });
});
afterEach(async () => {
  await pool.end();
  await owner.end();
  await database.drop();
});

const left = async () => {
  const { rows } = await owner.query<{ key: string }>(`select key from ${TABLE} order by claimed_at`);
  return rows.map(({ key }) => key);
};
/** A row that cannot be deleted, in a slice of any size. */
const forbid = (key: number) =>
  owner.query(
    `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not this one'; end $$;
     create trigger forbidden before delete on ${TABLE} for each row when (old.key = '${key}') execute function refuse()`,
  );

describe('expired rows', () => {
  test('are all deleted, even if one statement for all would time out', async () => {
    expect(await deleteInSlices(pool, keys, { now })).toBe(KEYS);
    expect(await left()).toEqual(['fresh']);
  });

  test('stay deleted up to the slice that fails', async () => {
    await forbid(501);
    await expect(deleteInSlices(pool, keys, { now, rows: 50 })).rejects.toThrow('not this one');
    expect((await left()).slice(0, 2)).toEqual(['501', '502']);
  });

  test('stay deleted up to the moment of a stop', async () => {
    const stopping = new AbortController();
    const counting = { query: pool.query.bind(pool) } as Pick<pg.Pool, 'query'>;
    let slices = 0;
    counting.query = ((...args: Parameters<pg.Pool['query']>) => {
      if ((slices += 1) === 3) stopping.abort();
      return pool.query(...args);
    }) as pg.Pool['query'];
    const { signal } = stopping;
    expect(await deleteInSlices(counting, keys, { now, rows: 10, signal })).toBe(30);
    expect(await left()).toHaveLength(KEYS + 1 - 30);
  });

  test('are skipped while they are locked', async () => {
    const holder = await owner.query('begin').then(() => owner);
    await holder.query(`select from ${TABLE} where key = '7' for update`);
    expect(await deleteInSlices(pool, keys, { now, rows: 100 })).toBe(KEYS - 1);
    await holder.query('rollback');
    expect(await left()).toEqual(['7', 'fresh']);
  });
});

describe('housekeeping', () => {
  test('reports what is left of a table, continues with the others, and tries again', async () => {
    await forbid(KEYS - 4);
    await owner.query(`insert into scan_report_nonces values ('n', now() - interval '1 hour')`);
    const told: [string, number][] = [];
    const metrics = { expiredRows: (table: string, count: number) => void told.push([table, count]) };
    const housekeeping = startHousekeeping({ pool, log, metrics, everyMs: 1 });
    await until(
      () => told.some(([table, count]) => table === TABLE && count > 0),
      'the remaining notifications',
    );
    await until(async () => (await owner.query('select from scan_report_nonces')).rowCount === 0);
    expect(lines().find(({ table, level }) => table === TABLE && level === 40)).toMatchObject({
      left: expect.any(Number),
      err: expect.objectContaining({ message: 'not this one' }),
    });
    await owner.query(`drop trigger forbidden on ${TABLE}`);
    await until(async () => (await left()).length === 1, 'the next round to delete the rest');
    await until(() => told.findLast(([table]) => table === TABLE)?.[1] === 0, 'no remaining notifications');
    await housekeeping.stop();
  });

  test('finds the oldest rows of each table by an index', async () => {
    await owner.query('set enable_seqscan = off; set enable_sort = off');
    for (const { table, where, oldestBy } of EXPIRED) {
      const { rows } = await owner.query<{ 'QUERY PLAN': string }>(
        `explain select ctid from ${table} where ${where.replaceAll('$1', 'now()')} order by ${oldestBy} limit 9`,
      );
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toMatch(
        new RegExp(`Index Scan using \\w+ on ${table} .*\\n +Index Cond: \\(${oldestBy} <`),
      );
    }
  });
});
