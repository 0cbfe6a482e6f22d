import type pg from 'pg';
import { pino } from 'pino';
import { createPool } from '../../../src/adapters/postgres/connection.ts';
import { createWriteProbe } from '../../../src/adapters/postgres/write-probe.ts';
import { until } from '../../../tools/until.ts';
import { type TestDatabase, createTestDatabase } from '../../support/stages/database.ts';

let database: TestDatabase;
let pool: pg.Pool;
/** The statements of the probe so far. */
let asked: string[];
beforeEach(async () => {
  database = await createTestDatabase();
  asked = [];
  const log = pino({ level: 'silent' });
  pool = createPool({ url: database.url, max: 2, applicationName: 'probe', log });
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

const probe = () =>
  createWriteProbe({
    query(text: string) {
      asked.push(text);
      return pool.query(text);
    },
  } as Pick<pg.Pool, 'query'>);

async function setReadOnly(isReadOnly: boolean): Promise<void> {
  await pool.query(`set default_transaction_read_only = ${isReadOnly ? 'on' : 'off'}`);
}

describe('a probe of writing', () => {
  test('writes one row, and reuses the success', async () => {
    const { failure } = probe();
    expect([await failure(), await failure()]).toEqual([undefined, undefined]);
    expect(asked).toEqual([expect.stringContaining('update write_probe')]);
  });

  test('looks thoroughly, and soon, once a call could not be answered', async () => {
    const { failure, suspect } = probe();
    await failure();
    suspect();
    await until(async () => (await failure()) === undefined && asked.length === 2, 'it looks again');
    expect(asked[1]).toContain('prove_writing');
    await until(
      async () => (await failure()) === undefined && asked.length === 3,
      'it looks as usual',
      5_000,
    );
    expect(asked[2]).toContain('update write_probe');
  });

  test('tells why nothing can be written, until something can', async () => {
    const { failure } = probe();
    await setReadOnly(true);
    expect(await failure()).toContain('read-only transaction');
    await setReadOnly(false);
    await until(async () => (await failure()) === undefined, 'it can write again', 5_000);
    expect(asked.at(-1)).toContain('prove_writing');
  });

  test('leaves nothing behind', async () => {
    const tables = async () =>
      (await pool.query<{ count: number }>('select count(*) from pg_class')).rows[0]!.count;
    const before = await tables();
    await pool.query('select prove_writing()');
    expect(await tables()).toBe(before);
  });

  test('is all that the application may do to its table', async () => {
    for (const statement of ['delete from write_probe', 'truncate write_probe'])
      await expect(pool.query(statement)).rejects.toThrow('permission denied');
  });
});
