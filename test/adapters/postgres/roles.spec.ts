import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { linesOf } from '../../support/log-lines.ts';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../src/adapters/embedded-postgres/embedded-postgres.ts';
import { withSettings } from '../../../src/adapters/postgres/connection.ts';
import { migrate } from '../../../src/adapters/postgres/migrate.ts';
import { NoLogin } from '../../../src/adapters/postgres/logins.ts';
import {
  type Reader,
  createReaderLogin,
  prepareDatabase,
} from '../../../src/adapters/postgres/prepare-database.ts';
import {
  ROLES,
  administer,
  createTestDatabase,
  TEMPLATE_WITH_READ_MODELS,
  type TestDatabase,
} from '../../support/stages/database.ts';

const appendOne = `select outcome from append_events(
  '{conversation-1}', '{null}', '{1}', '{0}', '{0}', '{}', '{}', '{}', '{1}', '{0}', '{conversation-1}',
  array[gen_random_uuid()], '{GroupClosed}', '{1}', array['{}'::json], array['{}'::json], array[now()])`;
const insertOne = `insert into events (position, stream, revision, id, type, v, data, metadata, occurred_at)
  values (9, 'job-1', 0, gen_random_uuid(), 'JobClosed', 1, '{}', '{}', now())`;

/** What nobody but the owner may do. */
const FORBIDDEN_TO_ALL = [
  insertOne,
  'update events set type = type',
  'delete from events',
  'truncate events',
  'merge into events e using (select 1) s on true when matched then delete',
  'select position from events for update',
  'do $$ begin lock table events in exclusive mode; end $$',
  'copy events from stdin',
  'alter table events disable trigger all',
  'alter table events add column note text',
  'drop trigger events_are_never_changed on events',
  'create trigger mine before insert on events execute function refuse_to_change_events()',
  'create rule mine as on insert to events do instead nothing',
  'create or replace view log_head as select 0::bigint as position',
  'drop table events cascade',
  'delete from schema_migrations',
  'create role mallory',
  'alter role current_user createrole',
  'set role postgres',
  'set session authorization postgres',
  'set session_replication_role = replica',
  'create table public.t (n int)',
  `copy (select 1) to program 'true'`,
  'select prepare_reader_roles()',
  ...[ROLES.app, ROLES.sealer, ROLES.auditor].map((role) => `grant ${role} to mallory_${process.pid}`),
];
/** What neither a sealer nor an auditor may do besides. */
const FORBIDDEN_TO_READERS = [
  appendOne,
  'select 1 from credentials',
  'select 1 from sessions',
  'select 1 from refresh_tokens',
  'select 1 from signing_keys',
  'select 1 from second_factors',
  'select 1 from recovery_codes',
  'select 1 from account_letters',
  'select 1 from company_invitations',
  'select 1 from idempotency_keys',
  'select 1 from text_keys',
  `select set_password(gen_random_uuid(), 'x', null, null)`,
  `update credentials set role = 'admin'`,
  `insert into checkpoints (name, position, version) values ('mine', 1, 1)`,
  'create schema mine',
  `set role ${ROLES.app}`,
  `select scrub_table('credentials', 1)`,
  'select scrub_statistics()',
  'select leave_old_wal()',
  'select is_seen_from_before(pg_current_xact_id())',
  'update scrubs set asked = 0',
];

let database: TestDatabase;
let clients: pg.Client[];
let users: string[];
beforeEach(async () => {
  [clients, users] = [[], []];
  database = await createTestDatabase(TEMPLATE_WITH_READ_MODELS);
});
afterEach(async () => {
  await Promise.all(clients.map((client) => client.end()));
  await database.drop();
  for (const user of users) await administer(`drop role if exists ${user}`);
});

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => {});
  clients.push(client);
  await client.connect();
  return client;
}
function newUser(): string {
  const user = `login_${randomBytes(6).toString('hex')}`;
  users.push(user);
  return user;
}

/** Logs in as a new sealer or auditor, after an event and the tables that later parts bring. */
async function reader(role: Reader): Promise<{ client: pg.Client; owner: pg.Client; user: string }> {
  const owner = await connect(database.ownerUrl);
  for (const table of ['seals', 'seal_tiles', 'seal_keys'])
    await owner.query(`create table if not exists ${table} (id int)`);
  await owner.query(`create role mallory_${process.pid}`);
  users.push(`mallory_${process.pid}`);
  await owner.query(appendOne);
  const user = newUser();
  const url = await createReaderLogin(database.ownerUrl, role, { user, password: 'pässword' });
  return { client: await connect(url), owner, user };
}

/** Everything outside the catalogs that a role may touch, and how. */
const rightsOf = async (owner: pg.Client, role: string) => {
  const { rows } = await owner.query<{ relation: string; rights: string[] }>(
    `select format('%s.%s', nspname, relname) as relation, array_agg(privilege order by privilege) as rights
     from pg_class c join pg_namespace n on n.oid = relnamespace,
       unnest('{select,insert,update,delete,truncate,references,trigger,maintain}'::text[]) privilege
     where nspname !~ '^pg_' and nspname <> 'information_schema' and relkind in ('r', 'v', 'm', 'f', 'p')
       and has_schema_privilege($1, n.oid, 'usage')
       and (has_table_privilege($1, c.oid, privilege)
         or privilege in ('select', 'insert', 'update', 'references')
           and has_any_column_privilege($1, c.oid, privilege))
     group by 1`,
    [role],
  );
  return Object.fromEntries(rows.map(({ relation, rights }) => [relation, rights.join(', ')]));
};

test.each([
  [
    'sealer',
    {
      'public.seals': 'insert, select, update',
      'public.seal_tiles': 'insert, select, update',
      'public.seal_keys': 'insert, select',
    },
  ],
  ['auditor', { 'public.seals': 'select', 'public.seal_tiles': 'select', 'public.seal_keys': 'select' }],
] as const)('The %s reads the log, and has rights on nothing but the seals besides', async (role, rights) => {
  const { client, owner, user } = await reader(role);
  const { rows } = await client.query(
    'select session_user, position::int, (select count(*)::int from events) as events from log_head',
  );
  expect(rows).toEqual([{ session_user: user, position: 1, events: 1 }]);
  expect(await rightsOf(owner, user)).toEqual({
    'public.events': 'select',
    'public.log_head': 'select',
    ...rights,
  });
  const definers = await owner.query(
    `select proname from pg_proc where prosecdef and has_function_privilege($1, oid, 'execute')`,
    [user],
  );
  expect(definers.rows).toEqual([]);
});

/** Expects every statement to be refused, with the role of the group and without, and the log to stay as it is. */
async function refusesAll(client: pg.Client, group: string, statements: string[]): Promise<void> {
  const owner = await connect(database.ownerUrl);
  const log = async () => (await owner.query('select * from events')).rows;
  const before = await log();
  const allowed: unknown[] = [];
  for (const statement of statements)
    for (const role of ['none', group]) {
      await client.query(`set role ${role}`);
      const code = await client.query(statement).then(
        () => 'done',
        (error: pg.DatabaseError) => error.code,
      );
      if (code !== '42501') allowed.push({ role, statement, code });
    }
  expect(allowed).toEqual([]);
  expect(before).toHaveLength(1);
  expect(await log()).toEqual(before);
}

test.each(['sealer', 'auditor'] as const)('The %s can neither write nor read secrets', async (role) => {
  const { client, owner, user } = await reader(role);
  const { rows } = await owner.query<{ relation: string }>(
    `select format('%I.%I', schemaname, tablename) as relation from pg_tables
     where schemaname in (select name from checkpoints) order by 1`,
  );
  expect(rows.length).toBeGreaterThan(5);
  const rights = await rightsOf(owner, user);
  await refusesAll(client, ROLES[role], [
    ...FORBIDDEN_TO_ALL,
    ...FORBIDDEN_TO_READERS,
    ...rows.map(({ relation }) => `select 1 from ${relation}`),
    ...(role === 'auditor'
      ? ['insert into seals default values', 'delete from seals']
      : ['delete from seals']),
  ]);
  // A grant without the right to grant is a mere warning where other rights exist.
  await client.query('grant insert, delete on events to public');
  expect(await rightsOf(owner, user)).toEqual(rights);
});

test('The application can neither write the log nor change triggers, rights and roles, and reads encryption keys', async () => {
  const owner = await connect(database.ownerUrl);
  await owner.query(`create role mallory_${process.pid}`);
  users.push(`mallory_${process.pid}`);
  const client = await connect(await prepareDatabase(database.ownerUrl));
  await client.query(appendOne);
  await refusesAll(client, ROLES.app, [
    ...FORBIDDEN_TO_ALL,
    ...[ROLES.sealer, ROLES.auditor].map((role) => `set role ${role}`),
  ]);
  expect((await client.query('select count(*)::int as keys from text_keys')).rows).toEqual([{ keys: 0 }]);
});

describe('A login of a reader', () => {
  const create = (role: Reader, user: string, password = 'x') =>
    createReaderLogin(database.ownerUrl, role, { user, password });

  test('is made once, and gets another password', async () => {
    const user = newUser();
    await Promise.all([create('auditor', user, 'first'), create('auditor', user, 'first')]);
    await connect(await create('auditor', user, 'second'));
    const url = new URL(database.ownerUrl);
    [url.username, url.password] = [user, 'first'];
    await expect(new pg.Client({ connectionString: url.href }).connect()).rejects.toThrow(/authentication/);
  });

  test('has one role only, and is neither the owner nor the application', async () => {
    const user = newUser();
    await create('sealer', user);
    await expect(create('auditor', user)).rejects.toThrow(`may do more than ${ROLES.auditor}`);
    const owner = new URL(database.ownerUrl).username;
    await expect(create('auditor', owner)).rejects.toThrow(NoLogin);
    const application = new URL(await prepareDatabase(database.ownerUrl)).username;
    await expect(create('auditor', application)).rejects.toThrow(NoLogin);
  });

  test('is made by the owner only', async () => {
    const url = await prepareDatabase(database.ownerUrl);
    const asked = createReaderLogin(url, 'auditor', { user: newUser(), password: 'x' });
    await expect(asked).rejects.toThrow(/DATABASE_OWNER_URL/);
  });
});

describe('On a server whose owner is no superuser and may not create roles', () => {
  let folder: string;
  let server: EmbeddedPostgres;
  const urlOf = (user: string, of = 'chat') => {
    const url = new URL(server.ownerUrl);
    url.pathname = `/${of}`;
    if (user !== 'postgres') [url.username, url.password] = [user, 'x'];
    return url.href;
  };
  async function asSuperuser(...statements: string[]) {
    const client = new pg.Client({ connectionString: urlOf('postgres') });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'roles-'));
    await chmod(folder, 0o711);
    server = await startEmbeddedPostgres({ dataDir: folder, log: linesOf('error').log });
    const client = new pg.Client({ connectionString: server.ownerUrl });
    await client.connect();
    await client.query(`create role chat_app nologin`);
    await client.query(`create role chat_owner login password 'x' in role chat_app`);
    await client.query(`create role chat_node login password 'x' in role chat_app`);
    await client.query('create database chat owner chat_owner');
    await client.end();
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('the application starts without the roles, and a login says what a superuser can do', async () => {
    expect(await prepareDatabase(urlOf('chat_node'), urlOf('chat_owner'))).toBe(
      withSettings(urlOf('chat_node'), { role: 'chat_app' }),
    );
    const auditor = () => createReaderLogin(urlOf('chat_owner'), 'auditor', { user: 'ada', password: 'x' });
    await expect(auditor()).rejects.toThrow('let a superuser run "create role chat_auditor nologin"');
    await asSuperuser('create role chat_auditor nologin');
    await expect(auditor()).rejects.toThrow(
      `let a superuser run "create role "ada" login password '…' in role "chat_auditor""`,
    );
    await asSuperuser(`create role ada login password 'x' in role chat_auditor`);
    const client = await connect(await auditor());
    expect((await client.query('select position::int from log_head')).rows).toEqual([{ position: 0 }]);
    await expect(client.query('select from credentials')).rejects.toMatchObject({ code: '42501' });
  });

  test('the migrator adds tables, and is refused changes of events and of the server', async () => {
    await prepareDatabase(urlOf('chat_node'), urlOf('chat_owner'));
    const client = await connect(urlOf('chat_owner'));
    await client.query(appendOne);
    await client.query('create table one_more (n int)');
    for (const statement of [
      'update events set type = type',
      'delete from events',
      'truncate events',
      'set session_replication_role = replica',
      'create role mallory',
      `alter role chat_node password 'y'`,
      'set role chat_node',
      `select pg_read_file('postgresql.conf')`,
      `copy (select 1) to program 'true'`,
      'alter system set fsync = off',
    ])
      await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
    expect((await client.query('select from events')).rowCount).toBe(1);
  });

  test('databases that are migrated at the same time have roles of their own', async () => {
    await asSuperuser('create database one', 'create database two');
    const urls = ['one', 'two'].map((name) => urlOf('postgres', name));
    await Promise.all(urls.map((url) => migrate(url)));
    for (const [index, url] of urls.entries()) {
      const client = await connect(url);
      const [ours, theirs] = index === 0 ? ['one', 'two'] : ['two', 'one'];
      for (const role of ['app', 'sealer', 'auditor']) {
        expect(await rightsOf(client, `${ours}_${role}`)).toMatchObject({ 'public.events': 'select' });
        expect(await rightsOf(client, `${theirs}_${role}`)).toEqual({});
      }
    }
  });
});
