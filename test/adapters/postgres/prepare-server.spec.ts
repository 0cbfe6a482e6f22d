import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { type Logins, loginsOf } from '../../../src/adapters/postgres/logins.ts';
import { prepareDatabase } from '../../../src/adapters/postgres/prepare-database.ts';
import { rolesNamedAfter } from '../../../src/adapters/postgres/roles.ts';
import { CannotPrepare, prepareServer, psqlScript } from '../../../src/adapters/postgres/prepare-server.ts';
import { scramVerifier } from '../../../src/adapters/postgres/scram.ts';
import { program } from '../../../tools/debian-programs.ts';
import { type DebianPostgres, startDebianPostgres } from '../../support/servers/debian-postgres.ts';

let server: DebianPostgres;
beforeAll(async () => {
  server = await startDebianPostgres();
}, 60_000);
afterAll(() => server?.stop());

const urlOf = (user: string, database: string, password = `${user}'s "own" $$ password`) => {
  const url = new URL(server.superuserUrl);
  [url.username, url.password, url.pathname] = [user, encodeURIComponent(password), `/${database}`];
  return url.href;
};
const databaseOf = (url: string) => decodeURIComponent(new URL(url).pathname.slice(1));
const loginsFor = (database: string): Logins =>
  loginsOf(urlOf(`${database}-node`, database), urlOf(`${database}-owner`, database));

async function connect<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}
const mayMakeRoles = (user: string) =>
  server.ask(`select rolcreaterole or rolsuper as may from pg_roles where rolname = '${user}'`);

/** Expects that the owner can migrate, and that the application has its rights and no others. */
async function expectPrepared(
  { ownerUrl, applicationUrl }: Logins,
  { app } = rolesNamedAfter(databaseOf(ownerUrl)),
): Promise<void> {
  for (const url of [ownerUrl, applicationUrl])
    expect(await mayMakeRoles(decodeURIComponent(new URL(url).username))).toEqual([{ may: false }]);
  const url = await prepareDatabase(applicationUrl, ownerUrl);
  await connect(url, async (client) => {
    expect((await client.query('select position::int from log_head')).rows).toEqual([{ position: 0 }]);
    await expect(client.query('delete from events')).rejects.toMatchObject({ code: '42501' });
    await client.query('create schema jobs');
    const { rows } = await client.query(
      `select nspowner::regrole::text as owner from pg_namespace where nspname = 'jobs'`,
    );
    expect(rows).toEqual([{ owner: app }]);
  });
}

test('Makes users and a database, after which nobody needs to make roles', async () => {
  const logins = loginsFor('one');
  expect(await prepareServer(server.superuserUrl, logins)).toEqual({
    isNew: true,
    roles: { app: 'one_app', sealer: 'one_sealer', auditor: 'one_auditor' },
  });
  await expectPrepared(logins);
});

test('Repeated, it keeps what is there and sets the passwords', async () => {
  const logins = loginsFor('again');
  await prepareServer(server.superuserUrl, logins);
  await expectPrepared(logins);
  const applicationUrl = urlOf('again-node', 'again', 'another one');
  expect(await prepareServer(server.superuserUrl, { ...logins, applicationUrl })).toMatchObject({
    isNew: false,
  });
  await connect(applicationUrl, async (client) => {
    expect((await client.query('select position::int from log_head')).rows).toEqual([{ position: 0 }]);
  });
  await expect(connect(logins.applicationUrl, async () => undefined)).rejects.toThrow(/authentication/);
});

test('Derives the user of the application from an owner who is alone in the settings', async () => {
  const logins = loginsOf(urlOf('alone-owner', 'alone'));
  await prepareServer(server.superuserUrl, logins);
  const url = await prepareDatabase(logins.ownerUrl);
  expect(new URL(url).username).toBe(new URL(logins.applicationUrl).username);
  await connect(logins.applicationUrl, (client) => client.query('select from events'));
});

test('Shuts the users of one database out of another one on the same server', async () => {
  const [ours, theirs] = [loginsFor('ours'), loginsFor('theirs')];
  for (const logins of [ours, theirs]) {
    await prepareServer(server.superuserUrl, logins);
    await expectPrepared(logins);
  }
  for (const url of Object.values(theirs) as string[]) {
    const elsewhere = new URL(url);
    elsewhere.pathname = '/ours';
    await expect(connect(elsewhere.href, async () => undefined)).rejects.toThrow(
      'permission denied for database "ours"',
    );
  }
});

/** Runs a script as the superuser. */
async function psql(script: string): Promise<void> {
  const { command, env } = program('psql');
  const settings = ['--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1'];
  const running = spawn(command, [...settings, server.superuserUrl], { env: { ...process.env, ...env } });
  running.stdin.end(script);
  const [err, [code]] = await Promise.all([text(running.stderr), once(running, 'close')]);
  expect({ code: code as number, err }).toEqual({ code: 0, err: '' });
}

test('The script for psql does the same, also twice, and contains no password', async () => {
  const logins = loginsFor('script');
  const script = psqlScript(logins);
  expect(script).not.toMatch(/own" \$\$/);
  for (let n = 0; n < 2; n += 1) await psql(script);
  await expectPrepared(logins);
});

test('The statements in the documentation do the same', async () => {
  const page = await readFile(new URL('../../../docs/backup.md', import.meta.url), 'utf8');
  const [, statements] = /```sql\n(create role jobs_app .*?)```/s.exec(page)!;
  const [owner, application] = ['jobs_owner', 'jobs_node'];
  const script = statements!.replace(
    /create role (\w+) login password '[^']*'/g,
    (_, user: string) => `create role ${user} login password '${scramVerifier(`${user} password`)}'`,
  );
  await psql(script);
  const url = (user: string) => urlOf(user, 'jobs', `${user} password`);
  await expectPrepared(loginsOf(url(application), url(owner)));
});

test('A database has the roles of the one whose dump is restored, and keeps them', async () => {
  const logins = loginsFor('restored');
  const { roles } = await prepareServer(server.superuserUrl, logins, 'chat');
  expect(roles).toEqual({ app: 'chat_app', sealer: 'chat_sealer', auditor: 'chat_auditor' });
  expect(psqlScript(logins, 'chat')).toContain('"chat_app"');
  // As in a dump of the database `chat`.
  await connect(logins.ownerUrl, (owner) =>
    owner.query(`create function append_events() returns int language sql return 1;
      create table streams (); grant execute on function append_events() to chat_app`),
  );
  expect(await prepareServer(server.superuserUrl, logins)).toEqual({ isNew: false, roles });
});

test('Refuses to give rights to a role of that name that can log in', async () => {
  await server.ask('create role foreign_app login');
  const refused = prepareServer(server.superuserUrl, loginsFor('foreign'));
  await expect(refused).rejects.toThrow(CannotPrepare);
  await expect(refused).rejects.toThrow(/^the role foreign_app can log in/);
});

test('Needs no superuser, but a role that may create roles and databases', async () => {
  await server.ask(`create role admin login createdb password 'x'`);
  const admin = urlOf('admin', 'postgres', 'x');
  const refused = prepareServer(admin, loginsFor('few'));
  await expect(refused).rejects.toThrow(CannotPrepare);
  await expect(refused).rejects.toThrow(
    /^the administrator may not do this \(permission denied to create role\): it has to be a superuser, or /,
  );
  await server.ask('alter role admin createrole');
  const logins = loginsFor('few');
  await prepareServer(admin, logins);
  await expectPrepared(logins);
});

test('Refuses settings that name one user, two databases, or no password', async () => {
  const { ownerUrl } = loginsFor('wrong');
  const refused = (logins: Logins) =>
    expect(prepareServer(server.superuserUrl, logins)).rejects.toThrow(CannotPrepare);
  await refused({ ownerUrl, applicationUrl: ownerUrl });
  await refused({ ownerUrl, applicationUrl: urlOf('wrong-node', 'other') });
  await refused({ ownerUrl, applicationUrl: urlOf('wrong-node', 'wrong', '') });
});

test('A backup that was restored without the roles is refused, with what to do', async () => {
  const { ownerUrl, applicationUrl } = loginsFor('lost');
  await prepareServer(server.superuserUrl, { ownerUrl, applicationUrl });
  await expectPrepared({ ownerUrl, applicationUrl });
  await server.ask('drop owned by lost_app', 'lost');
  await expect(prepareDatabase(applicationUrl, ownerUrl)).rejects.toThrow(
    'no role may append to the log in the database lost, as after a restore without its roles: let a superuser run "npm run admin -- prepare-database", and restore the backup again',
  );
});

test('An owner without these rights is told what a superuser can run', async () => {
  const { ownerUrl, applicationUrl } = loginsFor('bare');
  await server.ask('create role "bare-owner" login');
  await server.ask(
    `alter role "bare-owner" password '${`bare-owner's "own" $$ password`.replaceAll("'", "''")}'`,
  );
  await server.ask('create database bare');
  await expect(prepareDatabase(applicationUrl, ownerUrl)).rejects.toThrow(
    /permission denied for schema public: let a superuser run "npm run admin -- prepare-database" first/,
  );
  await prepareServer(server.superuserUrl, { ownerUrl, applicationUrl });
  await expectPrepared({ ownerUrl, applicationUrl });
});
