import pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import { createPool } from '../../../src/adapters/postgres/connection.ts';
import { postgresAddress } from '../../../src/config/setting-kinds.ts';
import { transaction } from '../../../src/adapters/postgres/transactions.ts';
import { type TestDatabase, createTestDatabase } from '../../support/stages/database.ts';
import { linesOf } from '../../support/log-lines.ts';
import { until } from '../../../tools/until.ts';

describe('a pool', () => {
  let database: TestDatabase;
  let owner: pg.Client;
  let pool: pg.Pool;
  const { log, lines } = linesOf('warn');

  beforeAll(async () => {
    database = await createTestDatabase();
    owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
  });
  beforeEach(() => {
    pool = createPool({ url: database.url, max: 1, applicationName: 'pool under test', log });
  });
  afterEach(() => pool.end());
  afterAll(async () => {
    await owner.end();
    await database.drop();
  });

  /** Ends the only connection of the pool, and waits until its client has noticed. */
  async function terminateBackend(): Promise<void> {
    const heard = lines().length;
    await owner.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pool under test'`,
    );
    await until(() => lines().length > heard, 'the lost connection is in the log');
  }

  test('survives the loss of an idle connection that is checked out', async () => {
    const client = await pool.connect();
    await client.query('select 1');
    await terminateBackend();
    await expect(client.query('select 1')).rejects.toThrow('not queryable');
    client.release(true);
    await expect(pool.query('select 1')).resolves.toMatchObject({ rowCount: 1 });
  });

  test('survives the loss of a connection between two statements of a transaction, which is rolled back', async () => {
    const interrupted = transaction(pool, async (client) => {
      await client.query(`insert into checkpoints (name, position, version) values ('between', 1, 1)`);
      await terminateBackend();
      await client.query('select 1');
    });
    await expect(interrupted).rejects.toThrow('not queryable');
    const { rowCount } = await pool.query(`select from checkpoints where name = 'between'`);
    expect(rowCount).toBe(0);
  });
});

describe('TLS in an address', () => {
  const FILE = 'test/adapters/postgres/connection.spec.ts';
  const anyFunction: unknown = expect.any(Function);
  test.each([
    ['', undefined],
    ['?sslmode=disable', undefined],
    ['?sslmode=prefer', { rejectUnauthorized: false }],
    ['?sslmode=require', { rejectUnauthorized: false }],
    [`?sslmode=require&sslrootcert=${FILE}`, { ca: expect.any(String), checkServerIdentity: anyFunction }],
    [`?sslmode=verify-ca&sslrootcert=${FILE}`, { ca: expect.any(String), checkServerIdentity: anyFunction }],
    ['?sslmode=verify-full', {}],
    ['?sslmode=verify-full&sslrootcert=system', {}],
    ['?options=-c%20a%3Db&sslmode=no-verify', { rejectUnauthorized: false }],
    [`?sslmode=verify-full&sslrootcert=${FILE}`, { ca: expect.any(String) }],
    [
      `?sslmode=verify-full&sslcert=${FILE}&sslkey=${FILE}`,
      { cert: expect.any(String), key: expect.any(String) },
    ],
  ])('is read as libpq reads it: %s', (parameters, ssl) => {
    const { ssl: read } = parseIntoClientConfig(
      postgresAddress(`postgres://u:p%40@host:5433/chat${parameters}`),
    );
    expect(read || undefined).toEqual(ssl);
  });
});
