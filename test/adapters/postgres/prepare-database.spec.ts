import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { pino } from 'pino';
import { MigrationError, migrate } from '../../../src/adapters/postgres/migrate.ts';
import { NoLogin } from '../../../src/adapters/postgres/logins.ts';
import { prepareDatabase } from '../../../src/adapters/postgres/prepare-database.ts';
import { APP_ROLE, createPool, withSession } from '../../../src/adapters/postgres/connection.ts';
import { createPostgresEventStore } from '../../../src/adapters/postgres/event-log/event-store.ts';
import { rebuildReadModels } from '../../../src/adapters/postgres/read-models/rebuild-projection.ts';
import { makeReadModels } from '../../../src/adapters/postgres/read-models/run-projections.ts';
import { newStream, say } from '../../support/language/appends.ts';
import {
  administer,
  createTestDatabase,
  databaseUrl,
  type TestDatabase,
} from '../../support/stages/database.ts';

const log = pino({ level: 'silent' });
const appendOne = `select outcome from append_events(
  '{conversation-1}', '{null}', '{1}', '{0}', '{0}', '{}', '{}', '{}', '{1}', '{0}', '{conversation-1}',
  array[gen_random_uuid()], '{GroupClosed}', '{1}', array['{}'::json], array['{}'::json], array[now()])`;

let database: TestDatabase;
let clients: pg.Client[];
beforeEach(async () => {
  clients = [];
  database = await createTestDatabase();
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.end()));
  await database.drop();
});

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  clients.push(client);
  await client.connect();
  return client;
}
const asApplication = (url: string) => connect(withSession(url, { role: APP_ROLE }));
const name = () => new URL(database.ownerUrl).pathname.slice(1);
/** The URL of the test database for a given login. */
function urlOf(user: string, password: string): string {
  const url = new URL(database.ownerUrl);
  [url.username, url.password] = [user, password];
  return url.href;
}

describe("the application's login", () => {
  test('appends through the function, and reads', async () => {
    const client = await asApplication(await prepareDatabase(database.ownerUrl));
    expect((await client.query(appendOne)).rows).toEqual([{ outcome: 'appended' }]);
    const { rows } = await client.query(
      'select session_user, current_user, position::int from log_head, (select from events) e',
    );
    const session = `${APP_ROLE}_${name()}`;
    expect(rows).toEqual([{ session_user: session, current_user: APP_ROLE, position: 1 }]);
  });

  test.each([
    `insert into events select 9, 'job-1', 0, gen_random_uuid(), 'JobClosed', 1, '{}', '{}', now()`,
    `update events set type = type`,
    `delete from events`,
    `truncate events`,
    `alter table events disable trigger all`,
    `drop table events`,
    `update log_head set position = 9`,
    `insert into streams values ('job-1', 9)`,
    `delete from schema_migrations`,
    `create function public.f() returns int language sql return 1`,
    `create table public.t (n int)`,
    `alter function append_events reset all`,
    `create or replace function public.refuse_to_change_events() returns trigger language plpgsql as 'begin return null; end'`,
    `copy (select 1) to program 'true'`,
    `select pg_read_file('postgresql.conf')`,
    `create role mallory`,
    `alter role current_user superuser`,
    `alter system set fsync = off`,
    `set role postgres`,
    `set session authorization postgres`,
    `set session_replication_role = replica`,
  ])('is refused "%s", with its role and without', async (statement) => {
    const client = await asApplication(await prepareDatabase(database.ownerUrl));
    await client.query(appendOne);
    for (const role of [APP_ROLE, 'none']) {
      await client.query(`set role ${role}`);
      await expect(client.query(statement)).rejects.toMatchObject({
        code: expect.stringMatching(/^(42501|55000|0A000)$/),
      });
    }
  });

  test('cannot make the function use other tables and functions', async () => {
    const client = await asApplication(await prepareDatabase(database.ownerUrl));
    await client.query('create temp table events (like public.events)');
    await client.query('create schema mine');
    await client.query('create view mine.log_head as select 41::bigint as position');
    await client.query('create function mine.cardinality(int[]) returns int language sql return 0');
    await client.query('set search_path = mine, pg_temp, public, pg_catalog');
    await client.query(appendOne);
    const { rows } = await client.query('select revision::int from public.events');
    expect(rows).toEqual([{ revision: 0 }]);
  });

  test('is the same for processes that start together, and after a restart', async () => {
    const urls = await Promise.all([1, 2, 3].map(() => prepareDatabase(database.ownerUrl)));
    expect(new Set([...urls, await prepareDatabase(database.ownerUrl)]).size).toBe(1);
    expect(urls[0]).not.toContain(new URL(database.ownerUrl).password);
    await asApplication(urls[0]!);
  });
});

describe('a login named by the operator', () => {
  afterEach(() => administer('drop role if exists chosen_login'));

  test('is created with its password, which may change, and later needs no owner', async () => {
    for (const password of ['first pässword', 'second']) {
      const url = urlOf('chosen_login', password);
      expect(await prepareDatabase(url, database.ownerUrl)).toBe(url);
      expect(await prepareDatabase(url)).toBe(url);
      await asApplication(url);
    }
    await expect(connect(urlOf('chosen_login', 'first pässword'))).rejects.toThrow(/authentication/);
    clients.pop();
    await Promise.all(clients.splice(0).map((client) => client.end()));
    await administer(`drop owned by chosen_login`);
  });

  test('may not be the owner or a login with more rights', async () => {
    await expect(prepareDatabase(database.ownerUrl, database.ownerUrl)).rejects.toThrow(NoLogin);
    await administer(`create role chosen_login createdb`);
    const url = urlOf('chosen_login', 'x');
    await expect(prepareDatabase(url, database.ownerUrl)).rejects.toThrow(/may do more/);
  });

  test('does not run migrations, and reports who must', async () => {
    const url = urlOf('chosen_login', 'x');
    await prepareDatabase(url, database.ownerUrl);
    const owner = await connect(database.ownerUrl);
    await owner.query(`delete from schema_migrations where name like '0016%'`);
    await expect(prepareDatabase(url)).rejects.toThrow(MigrationError);
    await expect(prepareDatabase(url)).rejects.toThrow(/0016.* run "npm run migrate"/);
  });
});

describe('a database of the previous version', () => {
  const old = `old_${process.pid}`;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'migrations-'));
    const migrations = new URL('../../../src/adapters/postgres/migrations/', import.meta.url);
    for (const file of await readdir(migrations))
      if (file < '0010') await copyFile(new URL(file, migrations), join(folder, file));
    await administer(`create database ${old}`);
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end()));
    await administer(`drop database ${old} with (force)`);
    await administer(`drop role if exists ${APP_ROLE}_${old}`);
    await rm(folder, { recursive: true });
  });

  test('keeps its log, and its read models now belong to the application', async () => {
    const ownerUrl = databaseUrl(old);
    await migrate(ownerUrl, pathToFileURL(`${folder}/`));
    const owner = await connect(ownerUrl);
    await owner.query(`${appendOne}`);
    await owner.query(`create schema jobs; create table jobs.jobs (n int);
      insert into checkpoints (name, position, version) values ('jobs', 1, 0), ('reactions', 1, 1)`);

    const url = await prepareDatabase(ownerUrl);
    const pool = createPool({ url, role: APP_ROLE, max: 2, applicationName: 'test', log });
    const store = createPostgresEventStore({ pool, url, log });
    expect(await store.head()).toBe(1);
    expect(await store.append(say(newStream(), 'a'))).toMatchObject({ events: [{ position: 2 }] });
    // A process of the old version that has not been replaced yet.
    await owner.query(`set role ${APP_ROLE}`);
    expect((await owner.query(appendOne)).rows).toEqual([{ outcome: 'appended' }]);
    expect((await owner.query('select * from streams order by 1 limit 1')).rows).toHaveLength(1);
    const { rows } = await owner.query(`select distinct tableowner from pg_tables where schemaname = 'jobs'`);
    expect(rows).toEqual([{ tableowner: APP_ROLE }]);
    await store.close();
    await pool.end();
  });
});

test('The application creates and rebuilds the read models with its own rights', async () => {
  const url = await prepareDatabase(database.ownerUrl);
  const pool = createPool({ url, role: APP_ROLE, max: 2, applicationName: 'test', log });
  const store = createPostgresEventStore({ pool, url, log });
  await store.append(say(newStream(), 'a'));
  await makeReadModels({ store, databaseUrl: url, log });
  expect((await rebuildReadModels({ store, databaseUrl: url, log })).length).toBeGreaterThan(0);
  await store.close();
  await pool.end();
});
