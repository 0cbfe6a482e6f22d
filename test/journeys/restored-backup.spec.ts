import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Listener, textOf } from '../../tools/listener.ts';
import { type Session, call, signUp } from '../../tools/rest.ts';
import { type Redis, startRedis } from '../../tools/redis.ts';
import { type ServerProcess, freePort, launchServer, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { confirmAddress } from '../support/journeys/account-letters.ts';
import { newestIn, readBackupCommands } from '../support/journeys/backup-commands.ts';
import { type ReadmeClient, startReadmeClient } from '../support/journeys/readme-client.ts';
import { type EventStoreDb, startEventStoreDb } from '../support/eventstoredb/eventstoredb.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';
import { type DebianPostgres, startDebianPostgres } from '../support/servers/debian-postgres.ts';
import { type MailServer, startMailServer } from '../support/servers/mail-server.ts';

const TOLD_WITHIN_MS = 60_000;
const SEALED_WITHIN_MS = 30_000;
/** The line of a process that has found the loss. */
const ADVICE =
  /The log ends at position \d+, but .* has seen it at \d+ in epoch \w{8}.*npm run log -- restored/;

const LIMITS = { MESSAGES_PER_MINUTE: '1000000', REQUESTS_PER_MINUTE: '1000000', HEADS_INTERVAL_MS: '500' };

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs `npm run log -- restored` with the settings of a server. */
const logRestored = (env: Record<string, string>, ...args: string[]) =>
  new Promise<Ran>((resolve) => {
    const options = { env: { PATH: process.env['PATH'], ...env } };
    execFile(process.execPath, ['scripts/log.ts', 'restored', ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });

const countIn = (text: string, wanted: string) => text.split(wanted).length - 1;

interface Group {
  groupId: string;
  acme: Session;
  ada: Session;
  /** The credentials of the client in the README. */
  reader: { EMAIL: string; PASSWORD: string };
}

/** Makes a group of a company and an applicant. */
async function makeGroup(url: string): Promise<Group> {
  const reader = { EMAIL: `acme-${randomUUID()}@example.org`, PASSWORD: randomUUID() };
  const acme = await signUp(url, {
    ...{ role: 'company', displayName: 'Acme', email: reader.EMAIL, password: reader.PASSWORD },
  });
  const ada = await signUp(url, { role: 'applicant', displayName: 'Ada' });
  const { jobId, groupId } = await call<{ jobId: string; groupId: string }>(url, 'POST', '/v1/jobs', {
    token: acme.accessToken,
    body: { title: 'Engineer', description: 'Builds engines' },
  });
  await call(url, 'POST', `/v1/jobs/${jobId}/applications`, { token: ada.accessToken, body: {} });
  return { groupId, acme, ada, reader };
}

/** Expects that a client has every event of the group once, in order, and has these texts. */
function expectWhole(client: Listener, groupId: string, texts: readonly string[]): void {
  const view = client.view(groupId);
  expect(view.map(({ seq }) => seq)).toEqual(view.map((_, index) => index + 1));
  const shown = view.map(textOf);
  expect(texts.filter((text) => shown.filter((each) => each === text).length !== 1)).toEqual([]);
}

/** Sends messages until it is stopped, which resolves with their texts. */
function talk(talker: Listener, groupId: string, word: string) {
  const sent: { text: string; position: string }[] = [];
  let isOver = false;
  const talking = (async () => {
    for (; !isOver; await pause(20)) {
      const text = `${word} ${sent.length}.`;
      const { position } = await talker.send({ groupId, text });
      sent.push({ text, position });
    }
  })();
  return {
    sent,
    async stop() {
      isOver = true;
      await talking;
      return sent;
    },
  };
}

describe('A database that was restored on a new server from a backup made under load', () => {
  let [first, second]: DebianPostgres[] = [];
  let mail: MailServer;
  let folder: string;
  let port: number;
  let server: ServerProcess;
  let group: Group;
  let reader: ReadmeClient;
  let [talker, listener]: Listener[] = [];
  const absent = `bob-${randomUUID()}@example.org`;
  /** What was sent before the backup and after it. */
  let sent: { text: string; position: string }[];
  let saved: number;

  const settings = (postgres: DebianPostgres) => ({
    ...LIMITS,
    ...{ ...postgres.settings('chat'), DATA_DIR: join(folder, 'data'), SMTP_URL: mail.url },
  });
  const start = (postgres: DebianPostgres) => ({
    ...{ port, dataDir: join(folder, 'data'), env: settings(postgres) },
  });
  const metric = async (name: string) => {
    const shown = await fetch(`${server.url}/metrics`).then((answer) => answer.text());
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(shown)?.[1] ?? 'NaN');
  };
  const copiesTo = (address: string, text: string) =>
    mail.mails.filter(({ to, mail: letter }) => to.includes(address) && (letter.text ?? '').includes(text))
      .length;

  beforeAll(async () => {
    [first, second, mail] = await Promise.all([
      startDebianPostgres(),
      startDebianPostgres(),
      startMailServer(),
    ]);
    folder = await mkdtemp(join(tmpdir(), 'restored-'));
    port = await freePort();
    const commands = await readBackupCommands({ backups: folder, vault: folder });
    await first!.create('chat');
    server = await startServer(start(first!));
    const { url } = server;
    group = await makeGroup(url);
    const bob = await signUp(url, { role: 'applicant', displayName: 'Bob', email: absent });
    await confirmAddress(mail, absent);
    const token = bob.accessToken;
    await call(url, 'PUT', '/v1/me/notification-preferences', { token, body: { digestMinutes: 0 } });
    const { data } = await call<{ data: { jobId: string }[] }>(url, 'GET', '/v1/jobs', { token });
    await call(url, 'POST', `/v1/jobs/${data[0]!.jobId}/applications`, { token, body: {} });
    reader = await startReadmeClient({ SERVER: url, ...group.reader });
    talker = await new Listener(group.acme).connect();
    listener = await new Listener(group.ada).connect();

    const talking = talk(talker, group.groupId, 'before');
    await until(() => talking.sent.length >= 60, '60 messages');
    await commands.run('Dump a database', 1, { env: settings(first!) });
    saved = talking.sent.length;
    await until(() => talking.sent.length >= saved + 60, '60 more messages');
    sent = await talking.stop();
    const last = sent.at(-1)!.text;
    await until(() => copiesTo(absent, last) > 0, 'the absent member to be notified', TOLD_WITHIN_MS);
    await until(() => reader.output().includes(`'${last}'`), 'the client to print the last message');
    const head = Number(sent.at(-1)!.position.split('.')[1]);
    await until(
      async () => (await metric('chat_sealed_events')) >= head,
      'all of it to be sealed',
      SEALED_WITHIN_MS,
    );
    await server.stop();

    await second!.create('chat');
    const DUMP = await newestIn(folder, 'chat-');
    await commands.run('Restore a dump', 1, { env: { ...settings(second!), DUMP } });
  }, 240_000);

  afterAll(async () => {
    talker?.close();
    listener?.close();
    await reader?.stop();
    await server?.killTree();
    await Promise.all([first?.stop(), second?.stop(), mail?.close()]);
    await rm(folder, { recursive: true, force: true });
  });

  test('is refused by a server that has seen more of the log, with a line that tells what to do', async () => {
    const refused = launchServer(start(second!));
    expect(await refused.exited).toMatchObject({ code: 1 });
    expect(refused.output()).toMatch(ADVICE);
    expect(refused.output()).not.toContain('"listening"');
  }, 60_000);

  test('begins a new epoch with "npm run log -- restored", which tells what it did', async () => {
    const { code, stdout, stderr } = await logRestored(settings(second!));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^epoch \w{8} begins at position \d+; epoch \w{8} has ended$/m);
    expect(stdout).toMatch(/^settled without being sent: \d+ notifications, 0 account letters$/m);
    expect(stdout).toMatch(
      /^\d+ checkpoints seal what the log has lost: they are in .*checkpoints\.\w{8}\.ndjson/m,
    );
    expect(await readdir(join(folder, 'data'))).toContainEqual(
      expect.stringMatching(/^checkpoints\.\w{8}\.ndjson$/),
    );
  }, 60_000);

  test('makes every client that was connected before see everything that is sent afterwards, once', async () => {
    server = await startServer(start(second!));
    const talking = talk(talker!, group.groupId, 'after');
    await until(() => talking.sent.length >= 40, '40 messages');
    const texts = (await talking.stop()).map(({ text }) => text);
    const head = await call<{ headSeq: number }>(server.url, 'GET', `/v1/groups/${group.groupId}`, {
      token: group.ada.accessToken,
    });
    expect(head.headSeq).toBeLessThan(sent.length);
    for (const client of [talker!, listener!]) await client.reached(group.groupId, head.headSeq);
    for (const client of [talker!, listener!]) expectWhole(client, group.groupId, texts);
    const missing = () => texts.filter((text) => !reader.output().includes(`'${text}'`));
    await until(() => missing().length === 0, 'the client in the README to print every message');
    expect(texts.filter((text) => countIn(reader.output(), `'${text}'`) !== 1)).toEqual([]);
    const last = texts.at(-1)!;
    await until(() => copiesTo(absent, last) > 0, 'the absent member to be notified', TOLD_WITHIN_MS);
  }, 120_000);

  test('notifies nobody of anything twice', () => {
    const texts = [
      ...new Set(
        mail.mails.flatMap(({ mail: letter }) => letter.text?.match(/(?:before|after) \d+\./g) ?? []),
      ),
    ];
    expect(texts.length).toBeGreaterThan(40);
    expect(texts.filter((text) => copiesTo(absent, text) !== 1)).toEqual([]);
  });

  test('answers that it does not know the positions of before, for good', async () => {
    const ask = (position: string) =>
      call(server.url, 'GET', `/v1/groups/${group.groupId}/messages`, {
        token: group.ada.accessToken,
        headers: { 'x-min-position': position },
      });
    const [early, late] = [sent[0]!.position, sent.at(-1)!.position];
    for (const position of [early, late, '999999999'])
      await expect(ask(position)).rejects.toMatchObject({
        status: 409,
        code: 'POSITION_UNKNOWN',
        retryable: false,
      });
    const { position } = await talker!.send({ groupId: group.groupId, text: 'now' });
    expect(position.split('.')[0]).not.toBe(early.split('.')[0]);
    await expect(ask(position)).resolves.toMatchObject({ epoch: position.split('.')[0] });
    // Of events that the backup has, as audits show them.
    await expect(ask(early.split('.')[1]!)).resolves.toBeDefined();
  });

  test('goes on being sealed', async () => {
    const { position } = await talker!.send({ groupId: group.groupId, text: 'to be sealed' });
    const head = Number(position.split('.')[1]);
    await until(
      async () => (await metric('chat_sealed_events')) >= head,
      'all of it to be sealed',
      SEALED_WITHIN_MS,
    );
    expect(await metric('chat_seal_broken')).toBe(0);
    const { stdout } = await new Promise<Ran>((resolve) =>
      execFile(
        process.execPath,
        ['scripts/audit.ts', 'verify'],
        { env: { PATH: process.env['PATH'], ...settings(second!) } },
        (error, out, err) => resolve({ code: error ? 1 : 0, stdout: out + err, stderr: '' }),
      ),
    );
    expect(stdout).toMatch(/^[\d,]+ events and \d+ checkpoints hold\n/);
  }, 60_000);

  test('is not given a new epoch while a server runs', async () => {
    const { code, stderr } = await logRestored(settings(second!));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The database is in use \(.*\): stop every server on it first\n$/);
    await expect(fetch(`${server.url}/health/ready`)).resolves.toMatchObject({ status: 200 });
  });

  test('ends a server under which a new epoch begins all the same', async () => {
    await second!.ask(
      `insert into log_epochs (number, epoch, position) select max(number) + 1, 'anewone1', 0 from log_epochs`,
      'chat',
    );
    expect(await server.exited).toMatchObject({ code: 1 });
    expect(server.output()).toMatch(/is in epoch anewone1 now: start this process again/);
  }, 30_000);
});

describe('A database that is replaced by a backup under running nodes', () => {
  let postgres: DebianPostgres;
  let redis: Redis;
  let folder: string;
  let nodes: ServerProcess[] = [];
  let group: Group;
  let clients: Listener[] = [];

  const optionsOf = async (index: number) => ({
    port: (ports[index] ??= await freePort()),
    dataDir: join(folder, String(index)),
    env: {
      ...LIMITS,
      ...postgres.settings('chat'),
      REDIS_URL: redis.url,
      SEAL_URL: `file://${folder}/seals`,
    },
  });
  const ports: number[] = [];

  beforeAll(async () => {
    [postgres, redis] = await Promise.all([startDebianPostgres(), startRedis()]);
    folder = await mkdtemp(join(tmpdir(), 'replaced-'));
    await postgres.create('chat');
    for (const index of [0, 1]) nodes.push(await startServer(await optionsOf(index)));
    group = await makeGroup(nodes[0]!.url);
    const at = (session: Session, node: ServerProcess) => new Listener({ ...session, url: node.url });
    clients = [at(group.acme, nodes[0]!), at(group.ada, nodes[1]!)];
    await Promise.all(clients.map((client) => client.connect()));
  }, 120_000);

  afterAll(async () => {
    for (const client of clients) client.close();
    for (const node of nodes) await node.killTree();
    await redis?.stop();
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('ends every node at once, with the line that tells what to do', async () => {
    const [talker, listener] = clients as [Listener, Listener];
    for (let n = 0; n < 20; n += 1) await talker.send({ groupId: group.groupId, text: `kept ${n}` });
    const { env } = await optionsOf(0);
    const commands = await readBackupCommands({ backups: folder, vault: folder });
    await commands.run('Dump a database', 1, { env: { ...env, DATA_DIR: join(folder, '0') } });
    for (let n = 0; n < 20; n += 1) await talker.send({ groupId: group.groupId, text: `lost ${n}` });
    await listener.reached(group.groupId, 40);
    await postgres.create('backup', 'chat');
    const DUMP = await newestIn(folder, 'chat-');
    await commands.run('Restore a dump', 1, { env: { ...postgres.settings('backup'), DUMP } });
    await postgres.ask('alter database chat allow_connections false');
    await postgres.ask(`select pg_terminate_backend(pid) from pg_stat_activity where datname = 'chat'`);
    await until(
      async () => (await postgres.ask(`select from pg_stat_activity where datname = 'chat'`)).length === 0,
      'the last connection to go',
    );
    await postgres.ask('alter database chat rename to lost');
    await postgres.ask('alter database backup rename to chat');
    for (const node of nodes) {
      expect(await node.exited).toMatchObject({ code: 1 });
      expect(node.output()).toMatch(ADVICE);
    }
  }, 120_000);

  test('is refused by a node with an empty data folder, because the others have seen more', async () => {
    await rm(join(folder, '0'), { recursive: true });
    const refused = launchServer(await optionsOf(0));
    expect(await refused.exited).toMatchObject({ code: 1 });
    expect(refused.output()).toMatch(/another process has seen it at/);
  }, 60_000);

  test('lets the clients of both nodes miss nothing afterwards', async () => {
    const { env } = await optionsOf(0);
    expect(await logRestored({ ...env, DATA_DIR: join(folder, '0') })).toMatchObject({ code: 0, stderr: '' });
    nodes = [];
    for (const index of [0, 1]) nodes.push(await startServer(await optionsOf(index)));
    const texts = Array.from({ length: 15 }, (_, n) => `after ${n}`);
    const [talker, listener] = clients as [Listener, Listener];
    for (const text of texts) {
      const { seq } = await talker.send({ groupId: group.groupId, text });
      expect(seq).toBe(21 + texts.indexOf(text));
      // Acknowledged by one node, and asked for at the other one at once.
      const answer = await listener.ask('sync', {
        groups: [{ groupId: group.groupId, afterSeq: seq }],
      });
      expect(answer.groups).toEqual([{ groupId: group.groupId, events: [], headSeq: seq, complete: true }]);
    }
    for (const client of clients) {
      await client.reached(group.groupId, 35);
      await until(() => client.view(group.groupId).length === 35, 'the client to have started anew');
      expectWhole(client, group.groupId, texts);
    }
  }, 120_000);
});

describe('An EventStoreDB that was restored to an earlier state than its database', () => {
  let eventStoreDb: EventStoreDb;
  let database: TestDatabase;
  let folder: string;
  let server: ServerProcess;
  let group: Group;
  let clients: Listener[] = [];
  const port = freePort();

  const settings = () => ({
    ...LIMITS,
    ...{ DATABASE_URL: database.ownerUrl, EVENTSTOREDB_URL: eventStoreDb.url, DATA_DIR: folder },
  });
  const options = async () => ({ port: await port, dataDir: folder, env: settings() });

  beforeAll(async () => {
    [eventStoreDb, database] = await Promise.all([startEventStoreDb(), createTestDatabase()]);
    folder = await mkdtemp(join(tmpdir(), 'restored-log-'));
    server = await startServer(await options());
    group = await makeGroup(server.url);
    clients = [new Listener(group.acme), new Listener(group.ada)];
    await Promise.all(clients.map((client) => client.connect()));
  }, 120_000);

  afterAll(async () => {
    for (const client of clients) client.close();
    await server?.killTree();
    await eventStoreDb?.stop();
    await database?.drop();
    await rm(folder, { recursive: true, force: true });
  });

  test('ends the running server, and refuses the next one', async () => {
    const { groupId } = group;
    const [talker, listener] = clients as [Listener, Listener];
    let kept = 0;
    for (let n = 0; n < 40; n += 1) {
      const { position } = await talker.send({ groupId, text: `before ${n}` });
      if (n === 19) kept = Number(position.split('.')[1]);
    }
    await listener.reached(groupId, 40);
    await listener.ask('markRead', { groupId, seq: 40 });
    await eventStoreDb.restore(kept);
    expect(await server.exited).toMatchObject({ code: 1 });
    expect(server.output()).toMatch(ADVICE);
    const refused = launchServer(await options());
    expect(await refused.exited).toMatchObject({ code: 1 });
    expect(refused.output()).toMatch(ADVICE);
  }, 120_000);

  test('goes on after "npm run log -- restored", which takes back what is ahead of the log', async () => {
    const { code, stdout, stderr } = await logRestored(settings());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^reactions continues at \d+; it was at \d+$/m);
    expect(stdout).toMatch(/^to be made anew: .*conversations.*event_ids/m);
    expect(stdout).toContain('read markers taken back: 1\n');
    server = await startServer(await options());
  }, 120_000);

  test('shows every client what is sent afterwards, as unread', async () => {
    const { groupId } = group;
    const [talker, listener] = clients as [Listener, Listener];
    const texts = Array.from({ length: 15 }, (_, n) => `after ${n}`);
    for (const text of texts) await talker.send({ groupId, text });
    for (const client of clients) {
      await client.reached(groupId, 35);
      await until(() => client.view(groupId).length === 35, 'the client to have started anew');
      expectWhole(client, groupId, texts);
    }
    const { position } = await talker.send({ groupId, text: 'the last one' });
    const shown = await call<{ unreadCount: number; readSeq: number; headSeq: number }>(
      ...([server.url, 'GET', `/v1/groups/${groupId}`] as const),
      { token: group.ada.accessToken, headers: { 'x-min-position': position } },
    );
    expect(shown).toMatchObject({ headSeq: 36, readSeq: 20, unreadCount: 16 });
    expect(await listener.ask('markRead', { groupId, seq: 36 })).toMatchObject({ unreadCount: 0 });
  }, 60_000);
});
