import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import pg from 'pg';
import { pino } from 'pino';
import { MigrationError } from '../../../src/adapters/postgres/migrate.ts';
import { NoLogin } from '../../../src/adapters/postgres/logins.ts';
import { prepareDatabase } from '../../../src/adapters/postgres/prepare-database.ts';
import { rolesNamedAfter } from '../../../src/adapters/postgres/roles.ts';
import { createPool, withSettings } from '../../../src/adapters/postgres/connection.ts';
import { createPostgresEventStore } from '../../../src/adapters/postgres/event-log/event-store.ts';
import { rebuildReadModels } from '../../../src/adapters/postgres/read-models/rebuild-projection.ts';
import { makeReadModels } from '../../../src/adapters/postgres/read-models/run-projections.ts';
import { newStream, say } from '../../support/language/appends.ts';
import {
  ROLES,
  administer,
  createTestDatabase,
  databaseUrl,
  type TestDatabase,
} from '../../support/stages/database.ts';

const log = pino({ level: 'silent' });
const appendOne = `select outcome from append_events(
  '{conversation-1}', '{null}', '{1}', '{0}', '{0}', '{}', '{}', '{}', '{1}', '{0}', '{conversation-1}',
  array[gen_random_uuid()], '{GroupClosed}', '{1}', array['{}'::json], array['{}'::json], array[now()])`;
const appendAnother = `select append_known(1, '{conversation-1}', '{1}',
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
const name = () => new URL(database.ownerUrl).pathname.slice(1);
/** The URL of the test database for a given login. */
function urlOf(user: string, password: string): string {
  const url = new URL(database.ownerUrl);
  [url.username, url.password] = [user, password];
  return url.href;
}

describe("the application's login", () => {
  test('appends through the function, and reads', async () => {
    const client = await connect(await prepareDatabase(database.ownerUrl));
    expect((await client.query(appendOne)).rows).toEqual([{ outcome: 'appended' }]);
    const { rows } = await client.query(
      'select session_user, current_user, position::int from log_head, (select from events) e',
    );
    const session = `chat_app_${name()}`;
    expect(rows).toEqual([{ session_user: session, current_user: ROLES.app, position: 1 }]);
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
    const client = await connect(await prepareDatabase(database.ownerUrl));
    await client.query(appendOne);
    for (const role of [ROLES.app, 'none']) {
      await client.query(`set role ${role}`);
      await expect(client.query(statement)).rejects.toMatchObject({
        code: expect.stringMatching(/^(42501|55000|0A000)$/),
      });
    }
  });

  test('cannot make the functions use other tables and functions', async () => {
    const client = await connect(await prepareDatabase(database.ownerUrl));
    await client.query('create temp table events (like public.events)');
    await client.query('create schema mine');
    await client.query('create view mine.log_head as select 41::bigint as position');
    await client.query('create function mine.cardinality(int[]) returns int language sql return 0');
    await client.query('set search_path = mine, pg_temp, public, pg_catalog');
    await client.query(appendOne);
    await client.query(appendAnother);
    const { rows } = await client.query('select revision::int from public.events');
    expect(rows).toEqual([{ revision: 0 }, { revision: 1 }]);
  });

  test('is the same for processes that start together, and after a restart', async () => {
    const urls = await Promise.all([1, 2, 3].map(() => prepareDatabase(database.ownerUrl)));
    expect(new Set([...urls, await prepareDatabase(database.ownerUrl)]).size).toBe(1);
    expect(urls[0]).not.toContain(new URL(database.ownerUrl).password);
    await connect(urls[0]!);
  });
});

describe('a login named by the operator', () => {
  afterEach(() => administer('drop role if exists chosen_login'));

  test('is created with its password, which may change, and later needs no owner', async () => {
    for (const password of ['first pässword', 'second']) {
      const url = urlOf('chosen_login', password);
      const prepared = withSettings(url, { role: ROLES.app });
      expect(await prepareDatabase(url, database.ownerUrl)).toBe(prepared);
      expect(await prepareDatabase(url)).toBe(prepared);
      await connect(prepared);
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

describe('a database of version 0.1', () => {
  const old = `old_${process.pid}`;
  /** The application's role for all databases of a server. */
  const app = 'chat_app';
  const folder = new URL('../../../src/adapters/postgres/migrations/', import.meta.url);
  beforeEach(() => administer(`create database ${old}`));
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end()));
    await administer(`drop database ${old} with (force)`, `drop role if exists chat_app_${old}`);
  });

  /** Applies the first migrations as they are written. */
  async function migrateOld(owner: pg.Client): Promise<void> {
    await owner.query(`create table schema_migrations (
      name text primary key, checksum text not null, applied_at timestamptz not null default now())`);
    for (const file of (await readdir(folder)).filter((each) => each < '0010').sort()) {
      const sql = await readFile(new URL(file, folder), 'utf8');
      const checksum = createHash('sha256').update(sql).digest('hex');
      await owner.query(sql);
      await owner.query('insert into schema_migrations (name, checksum) values ($1, $2)', [file, checksum]);
    }
  }

  test('keeps its log and its roles, and its read models now belong to the application', async () => {
    const ownerUrl = databaseUrl(old);
    const owner = await connect(ownerUrl);
    await migrateOld(owner);
    await owner.query(`${appendOne}`);
    await owner.query(`create schema jobs; create table jobs.jobs (n int);
      insert into checkpoints (name, position, version) values ('jobs', 1, 0), ('reactions', 1, 1)`);

    const url = await prepareDatabase(ownerUrl);
    expect(new URL(url).searchParams.get('options')).toBe(`-c role=${app}`);
    const pool = createPool({ url, max: 2, applicationName: 'test', log });
    const store = createPostgresEventStore({ pool, url, log });
    expect(await store.head()).toBe(1);
    expect(await store.append(say(newStream(), 'a'))).toMatchObject({ events: [{ position: 2 }] });
    // A process of the old version that has not been replaced yet.
    await owner.query(`set role ${app}`);
    expect((await owner.query(appendOne)).rows).toEqual([{ outcome: 'appended' }]);
    expect((await owner.query('select * from streams order by 1 limit 1')).rows).toHaveLength(1);
    const { rows } = await owner.query(`select distinct tableowner from pg_tables where schemaname = 'jobs'`);
    expect(rows).toEqual([{ tableowner: app }]);
    const made = await owner.query('select from pg_roles where rolname = $1', [rolesNamedAfter(old).app]);
    expect(made.rowCount).toBe(0);
    await store.close();
    await pool.end();
  });
});

test('The application creates and rebuilds the read models with its own rights', async () => {
  const url = await prepareDatabase(database.ownerUrl);
  const pool = createPool({ url, max: 2, applicationName: 'test', log });
  const store = createPostgresEventStore({ pool, url, log });
  await store.append(say(newStream(), 'a'));
  await makeReadModels({ store, databaseUrl: url, log });
  expect((await rebuildReadModels({ store, databaseUrl: url, log })).length).toBeGreaterThan(0);
  await store.close();
  await pool.end();
});
