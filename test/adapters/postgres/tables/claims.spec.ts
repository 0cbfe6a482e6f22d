import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { createPostgresClaims } from '../../../../src/adapters/postgres/tables/claims.ts';
import { createNonces } from '../../../../src/adapters/postgres/tables/scan-reports.ts';
import {
  type TestDatabase,
  administer,
  createTestDatabase,
  databaseUrl,
} from '../../../support/stages/database.ts';
import { linesOf } from '../../../support/log-lines.ts';
import { until } from '../../../../tools/until.ts';

let database: TestDatabase;
let owner: pg.Client;
const processes: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
});
afterEach(() => Promise.all(processes.splice(0).map((each) => each.close())));
afterAll(async () => {
  await owner.end();
  await database.drop();
});

function process(url = database.url) {
  const { log, lines } = linesOf('warn');
  const claims = createPostgresClaims({ url, log });
  processes.push(claims);
  return { ...claims, lines };
}

/** Ends the connections of all processes, like a restart of PostgreSQL. */
const cutConnections = () =>
  owner.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'claims' and datname = current_database()`,
  );

describe('claims in PostgreSQL', () => {
  test('are held by one process per name', async () => {
    const [one, other] = [process(), process()];
    const release = await one.claim('a');
    expect(release).toBeDefined();
    expect(await other.claim('a')).toBeUndefined();
    expect(await other.claim('b')).toBeDefined();
    await release!();
    expect(await other.claim('a')).toBeDefined();
  });

  test('are given to one of many concurrent requests', async () => {
    const granted = await Promise.all(
      [process(), process(), process(), process()].map((each) => each.claim('c')),
    );
    expect(granted.filter((release) => release !== undefined)).toHaveLength(1);
  });

  test('are released when their process ends', async () => {
    const [one, other] = [process(), process()];
    await one.claim('d');
    await one.claim('e');
    await one.close();
    await until(async () => (await other.claim('d')) !== undefined && (await other.claim('e')) !== undefined);
  });

  test('are lost with their connection, which is made again', async () => {
    const [one, other] = [process(), process()];
    const release = await one.claim('f');
    await cutConnections();
    await until(() => one.lines().length > 0);
    await until(async () => (await other.claim('f').catch(() => undefined)) !== undefined);
    expect(await one.claim('g')).toBeDefined();
    await release!();
    expect(await one.claim('f')).toBeUndefined();
  });

  test('are rejected while the database does not answer, and work as soon as it does', async () => {
    const name = `late_${randomBytes(6).toString('hex')}`;
    const early = process(databaseUrl(name));
    await expect(early.claim('h')).rejects.toThrow();
    await administer(`create database ${name}`);
    expect(await early.claim('h')).toBeDefined();
    await early.close();
    await administer(`drop database ${name} with (force)`);
  });
});

describe('nonces in PostgreSQL', () => {
  test('can be used once across all nodes', async () => {
    const pools = [1, 2].map(() => new pg.Pool({ connectionString: database.url, max: 2 }));
    const [one, other] = pools.map(createNonces) as [
      ReturnType<typeof createNonces>,
      ReturnType<typeof createNonces>,
    ];
    const tries = await Promise.all([one.spend('n'), other.spend('n'), one.spend('n'), other.spend('n')]);
    expect(tries.filter(Boolean)).toHaveLength(1);
    expect(await one.spend('m')).toBe(true);
    await Promise.all(pools.map((pool) => pool.end()));
  });
});
