import { execFile } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Listener } from '../../tools/listener.ts';
import { type Session, call, logIn, renew } from '../../tools/rest.ts';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { type BackupCommands, newestIn, readBackupCommands } from '../support/journeys/backup-commands.ts';
import { type DebianPostgres, startDebianPostgres } from '../support/servers/debian-postgres.ts';

/** docs/backup.md, command by command: one ordered story, on PostgreSQL from Debian. */

const run = promisify(execFile);
const LIMITS = { MESSAGES_PER_MINUTE: '1000000', REQUESTS_PER_MINUTE: '1000000' };
const ARCHIVED_WITHIN_MS = 30_000;
const SEALED_WITHIN_MS = 30_000;
const STORY_MS = 180_000;

let folder: string;
let backups: string;
let vault: string;
let commands: BackupCommands;
const servers: ServerProcess[] = [];
const databases: DebianPostgres[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backup-'));
  [backups, vault] = [join(folder, 'backups'), join(folder, 'vault')];
  for (const each of [backups, join(backups, 'wal'), vault]) await mkdir(each);
  // PostgreSQL does not run as root, and writes into these.
  await chmod(folder, 0o711);
  for (const each of [backups, join(backups, 'wal')]) await chmod(each, 0o777);
  commands = await readBackupCommands({ backups, vault });
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.killTree()));
  await Promise.all(databases.map((database) => database.stop()));
  await rm(folder, { recursive: true, force: true });
});

async function start(env: Record<string, string>): Promise<ServerProcess> {
  const server = await startServer({ dataDir: env['DATA_DIR']!, env: { ...LIMITS, ...env } });
  servers.push(server);
  return server;
}
async function startPostgres(...options: Parameters<typeof startDebianPostgres>): Promise<DebianPostgres> {
  const database = await startDebianPostgres(...options);
  databases.push(database);
  return database;
}

/** The variables of the document, for a database on a server of PostgreSQL. */
const variables = (postgres: DebianPostgres, data: string, database = 'chat') => ({
  ...{ ADMIN_URL: postgres.superuserUrl, ...postgres.settings(database), DATA_DIR: join(folder, data) },
});
/** The settings with which the servers run: they have no use for the owner once it is migrated. */
const settings = ({ DATABASE_URL, DATA_DIR }: ReturnType<typeof variables>) => ({ DATABASE_URL, DATA_DIR });

interface Group {
  groupId: string;
  /** With a password, to log in later. */
  email: string;
  password: string;
  session: Session;
  fileId: string;
  sha256: string;
}

const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Makes a group of a job, with a file in its first message. */
async function makeGroup({ url }: ServerProcess): Promise<Group> {
  const [email, password] = [`acme-${randomUUID()}@example.org`, randomUUID()];
  const account = { role: 'company', displayName: 'Acme', email, password };
  await call(url, 'POST', '/v1/auth/register', { body: account });
  const session = await logIn(url, email, password);
  const token = session.accessToken;
  const { groupId } = await call<{ groupId: string }>(url, 'POST', '/v1/jobs', {
    ...{ token, body: { title: 'Engineer', description: 'Builds engines' } },
  });
  const bytes = Buffer.from(randomBytes(10_000).toString('hex'));
  const { fileId, upload } = await call<{
    fileId: string;
    upload: { method: string; url: string; headers: Record<string, string> };
  }>(url, 'POST', '/v1/files', {
    ...{ token, body: { groupId, name: 'a.txt', contentType: 'text/plain', size: bytes.length } },
  });
  await fetch(upload.url, { method: upload.method, headers: upload.headers, body: bytes });
  await call(url, 'POST', `/v1/files/${fileId}/complete`, { token });
  await until(
    async () => (await statusOf(session, fileId)).url !== undefined,
    'the file to be clean',
    20_000,
  );
  const message = { clientMsgId: randomUUID(), fileIds: [fileId] };
  await call(url, 'POST', `/v1/groups/${groupId}/messages`, { token, body: message });
  return { groupId, email, password, session, fileId, sha256: sha256Of(bytes) };
}

const statusOf = ({ url, accessToken }: Session, fileId: string) =>
  call<{ status: string; url?: string }>(url, 'GET', `/v1/files/${fileId}`, { token: accessToken });

const messagesOf = async ({ url, accessToken }: Session, groupId: string) => {
  const path = `/v1/groups/${groupId}/messages?afterSeq=0&limit=100`;
  const { data } = await call<{ data: { seq: number; text: string | null; id: string }[] }>(
    url,
    'GET',
    path,
    {
      token: accessToken,
    },
  );
  return data;
};

/** Expects that a user logs in with the password of before, and downloads the file of before. */
async function expectAccount({ url }: ServerProcess, group: Group): Promise<Session> {
  const session = await logIn(url, group.email, group.password);
  const { url: download } = await statusOf(session, group.fileId);
  const bytes = await fetch(download!).then((answer) => answer.arrayBuffer());
  expect(sha256Of(new Uint8Array(bytes))).toBe(group.sha256);
  return session;
}

/** Sends a message after the other until `count` are sent. */
async function talk({ session, groupId }: Group, word: string, count: number): Promise<void> {
  const client = await new Listener(session).connect();
  let position: string | undefined;
  for (let n = 0; n < count; n += 1) ({ position } = await client.send({ groupId, text: `${word} ${n}` }));
  client.close();
  if (position === undefined) return;
  // What is read from now on shows all of it.
  await call(session.url, 'GET', `/v1/groups/${groupId}`, {
    ...{ token: session.accessToken, headers: { 'x-min-position': position } },
  });
}

const newest = (prefix: string) => newestIn(backups, prefix);

describe('a database of one’s own', () => {
  let first: DebianPostgres;
  let server: ServerProcess;
  let group: Group;
  let env: ReturnType<typeof variables>;
  let moment: string;
  let kept: Awaited<ReturnType<typeof messagesOf>>;

  test(
    'is prepared, archived, and dumped while messages are sent',
    async () => {
      first = await startPostgres({ configuration: commands.configuration('Any moment') });
      env = variables(first, 'data');
      await commands.run('Prepare a server', 1, { env });
      await start({ ...settings(env), DATABASE_OWNER_URL: env.DATABASE_OWNER_URL });
      server = servers.at(-1)!;
      group = await makeGroup(server);
      await commands.run('Any moment', 1, { env, as: first.as });
      await talk(group, 'before', 20);
      const sealed = () => existsSync(join(env.DATA_DIR, 'checkpoints.ndjson'));
      await until(sealed, 'the log to be sealed', SEALED_WITHIN_MS);
      // Keeps the version before, which the dump leaves out.
      await run(process.execPath, ['scripts/projections.ts', 'rebuild', 'jobs'], {
        env: { PATH: process.env['PATH'], ...settings(env) },
      });
      const talking = talk(group, 'during', 20);
      await commands.run('Dump a database', 1, { env });
      await talking;
      await commands.run('Dump a database', 2, { env });
      expect(await readdir(vault)).toContain('seal-key.pem');

      kept = await messagesOf(group.session, group.groupId);
      const [{ now }] = (await first.ask<{ now: string }>('select clock_timestamp()::text as now')) as [
        { now: string },
      ];
      moment = now;
      await talk(group, 'after', 20);
      await server.stop();
      const [{ file }] = (await first.ask<{ file: string }>(
        'select pg_walfile_name(pg_switch_wal()) as file',
      )) as [{ file: string }];
      const archived = async () => (await readdir(join(backups, 'wal'))).includes(file);
      await until(archived, 'the log of the database to be archived', ARCHIVED_WITHIN_MS);
    },
    STORY_MS,
  );

  test(
    'is restored on a new server, which does everything that the old one did',
    async () => {
      const second = await startPostgres();
      const restored = {
        ...variables(second, 'restored'),
        ...{ DUMP: await newest('chat-'), DATA: await newest('data-') },
      };
      await commands.run('Prepare a server', 2, { env: restored });
      await commands.run('Restore a dump', 1, { env: restored });
      await commands.run('Restore a dump', 2, { env: restored });
      expect(await commands.run('After every restore', 1, { env: restored })).toContain(
        'start the servers now',
      );
      server = await start(settings(restored));
      const models = `select nspname as name from pg_namespace where nspname like 'jobs%'`;
      expect(await first.ask(`${models} order by name`, 'chat')).toEqual([
        { name: 'jobs' },
        { name: 'jobs_previous' },
      ]);
      expect(await second.ask(models, 'chat')).toEqual([{ name: 'jobs' }]);
      const session = await expectAccount(server, group);
      const messages = await messagesOf(session, group.groupId);
      expect(messages.length).toBeGreaterThan(20);
      expect(messages).toEqual(kept.slice(0, messages.length));
      await talk({ ...group, session }, 'now', 1);
      await server.stop();

      // On the same server, as an exercise.
      const practice = { ...restored, ...variables(second, 'practice', 'practice') };
      const said = await commands.run('Practise', 1, { env: practice });
      expect(said).toMatch(/^[\d,]+ events and [1-9]\d* checkpoints hold$/m);
    },
    STORY_MS,
  );

  test(
    'is restored to any moment',
    async () => {
      const { password } = new URL(first.superuserUrl);
      const make = (PGDATA: string, as: DebianPostgres['as']) =>
        commands.run('Any moment', 2, { env: { PGDATA, MOMENT: moment }, as });
      const third = await startPostgres({ restore: { password, make } });
      const restored = variables(third, 'data');
      await commands.run('Any moment', 3, { env: restored });
      expect(await commands.run('After every restore', 1, { env: restored })).toContain(
        'start the servers now',
      );
      server = await start(settings(restored));
      const session = await expectAccount(server, group);
      expect(await messagesOf(session, group.groupId)).toEqual(kept);
      await server.stop();
    },
    STORY_MS,
  );

  test('leaves no dump of more than 30 days ago', async () => {
    const dump = await newest('chat-');
    const old = join(backups, 'chat-20200101T000000Z.dump');
    await cp(dump, old);
    await utimes(old, 0, new Date('2020-01-01').getTime() / 1_000);
    await commands.run('How long to keep them', 1, { env });
    expect(await newest('chat-')).toBe(dump);
    expect(await readdir(backups)).not.toContain('chat-20200101T000000Z.dump');
  });
});

describe('the embedded database', () => {
  const env = () => ({ DATA_DIR: join(folder, 'embedded') });
  let server: ServerProcess;
  let group: Group;
  let refreshed: Session;

  test(
    'is cloned while a server runs, and restored',
    async () => {
      server = await start(env());
      group = await makeGroup(server);
      await talk(group, 'before', 5);
      const kept = await messagesOf(group.session, group.groupId);
      const said = await commands.run('The embedded PostgreSQL', 2, { env: env() });
      expect(said).toContain('what is written to it from now on is not in the copy');
      await talk(group, 'after', 5);
      await server.stop();
      await commands.run('The embedded PostgreSQL', 1, { env: env() });
      await commands.run('The embedded PostgreSQL', 3, { env: env() });
      await commands.run('After every restore', 1, { env: env() });
      server = await start(env());
      const session = await expectAccount(server, group);
      expect(await messagesOf(session, group.groupId)).toEqual(kept);
      group = { ...group, session };
    },
    STORY_MS,
  );

  test(
    'moves to a PostgreSQL of one’s own, with accounts, and nothing changes for clients',
    async () => {
      await talk(group, 'more', 5);
      const { url } = server;
      const kept = await messagesOf(group.session, group.groupId);
      await call(url, 'PUT', `/v1/groups/${group.groupId}/read`, {
        ...{ token: group.session.accessToken, body: { seq: 3 } },
      });
      refreshed = await renew(group.session);
      await server.stop();

      const own = { ...variables(await startPostgres(), 'embedded'), ...env() };
      await commands.run('Prepare a server', 1, { env: own });
      const said = await commands.run('Move to a PostgreSQL of your own', 1, { env: own });
      expect(said).toMatch(/^credentials: 1 rows$/m);
      server = await start({ ...settings(own), MASTER_KEY_FILE: join(own.DATA_DIR, 'master.key') });
      const session = await expectAccount(server, group);
      expect(await messagesOf(session, group.groupId)).toEqual(kept);
      const { accessToken } = await renew({ ...refreshed, url: server.url });
      const shown = await call<{ readSeq: number }>(server.url, 'GET', `/v1/groups/${group.groupId}`, {
        token: accessToken,
      });
      expect(shown.readSeq).toBe(3);
      await talk({ ...group, session }, 'now', 5);
      await server.stop();
    },
    STORY_MS,
  );
});

test('Every command in the document was run', () => {
  expect(commands.unused()).toEqual([]);
});
