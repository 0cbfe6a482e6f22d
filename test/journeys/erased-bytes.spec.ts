import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, readdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { ChatProblem, type Session, call, logIn, signUp } from '../../tools/rest.ts';
import { type Rabbitmq, startRabbitmq } from '../../tools/rabbitmq.ts';
import { type Redis, startRedis } from '../../tools/redis.ts';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { confirmAddress, lettersTo } from '../support/journeys/account-letters.ts';
import { type MailServer, startMailServer } from '../support/servers/mail-server.ts';
import { put } from '../support/files/uploads.ts';

/** Words that nobody else uses, in several scripts: a part of everything that the person writes and is called. */
const CANARIES = ['kanarienvogel', 'канарейка', '金絲雀', 'kanarya'] as const;
const [CANARY] = CANARIES;
const ALL = CANARIES.join(' ');
const NEEDLES = CANARIES.map((word) => Buffer.from(word));

let redis: Redis;
let rabbitmq: Rabbitmq;
let mail: MailServer;
let server: ServerProcess;
let owner: pg.Client;
beforeAll(async () => {
  [redis, rabbitmq, mail] = await Promise.all([startRedis(), startRabbitmq(), startMailServer()]);
  server = await startServer({
    readyWithinMs: 120_000,
    env: {
      ...{ REDIS_URL: redis.url, AMQP_URL: rabbitmq.url, SMTP_URL: mail.url },
      ...{ ERASURE_DELAY_HOURS: '0', ACCESS_TOKEN_SECONDS: '3600', LOG_LEVEL: 'debug' },
      ...{ FAILED_LOGINS_PER_MINUTE: '1000', LOGINS_PER_MINUTE: '1000' },
    },
  });
  const [, , , port] = (await readFile(join(server.dataDir, 'postgres/postmaster.pid'), 'utf8')).split('\n');
  const password = await readFile(join(server.dataDir, 'postgres-password'), 'utf8');
  owner = new pg.Client({ host: '127.0.0.1', port: Number(port), user: 'postgres', password, ssl: false });
  await owner.connect();
}, 240_000);
afterAll(async () => {
  await owner?.end();
  await server?.killTree();
  if (server) await rm(server.dataDir, { recursive: true, force: true });
  await mail?.close();
  await Promise.all([rabbitmq?.stop(), redis?.stop()]);
}, 60_000);

/** Returns the files below a folder that contain one of the words, as `path: word`. */
async function filesWith(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    // It may be gone by now.
    const bytes = await readFile(path).catch(() => Buffer.alloc(0));
    const place = relative(folder, path);
    for (const [index, needle] of NEEDLES.entries())
      if (bytes.includes(needle) || place.includes(CANARIES[index]!))
        found.push(`${place}: ${CANARIES[index]}`);
  }
  return found;
}

/** Returns where the words are in the files of the server, its neighbours, and its log. */
async function places() {
  await redis.ask('SAVE');
  return {
    database: await filesWith(join(server.dataDir, 'postgres')),
    others: (await filesWith(server.dataDir)).filter((place) => !place.startsWith('postgres/')),
    redis: await filesWith(redis.folder),
    rabbitmq: await filesWith(rabbitmq.folder),
    log: CANARIES.filter((word) => server.output().includes(word)),
  };
}

const ask = <T>(
  as: Session,
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) =>
  call<T>(server.url, method, path, {
    token: as.accessToken,
    ...(body !== undefined && { body }),
    ...(headers && { headers }),
  });

/** Runs a script beside the server. Resolves with its output. */
const script = async (name: string, ...args: string[]) =>
  (
    await promisify(execFile)(process.execPath, [`scripts/${name}.ts`, ...args], {
      env: { PATH: process.env['PATH'], DATA_DIR: server.dataDir },
    })
  ).stdout;

async function hireAuditor(): Promise<Session> {
  const [email, password] = [`${randomUUID()}@example.org`, randomUUID()];
  const named = ['--role', 'auditor', '--display-name', 'Grace', '--email', email, '--password', password];
  await script('admin', 'create-user', ...named);
  return logIn(server.url, email, password);
}

test('An erased person is in no file of the database, its log, Redis, the broker or the storage', async () => {
  const acme = await signUp(server.url, { role: 'company', displayName: 'Acme' });
  const address = `${CANARY}@example.org`;
  const secret = randomUUID();
  const person = { displayName: `Ada ${ALL}`, email: address, password: secret };
  const ada = await signUp(server.url, { role: 'applicant', ...person });
  await confirmAddress(mail, address);
  const { jobId, groupId } = await ask<Record<string, string>>(acme, 'POST', '/v1/jobs', {
    ...{ title: 'Engineer', description: 'Builds engines' },
  });
  const { applicationId } = await ask<Record<string, string>>(ada, 'POST', `/v1/jobs/${jobId}/applications`, {
    coverLetter: `I am a ${ALL}`,
  });
  const bytes = new TextEncoder().encode(`The CV of a ${ALL}`);
  const { fileId, upload } = await ask<{ fileId: string; upload: Parameters<typeof put>[0] }>(
    ...([ada, 'POST', '/v1/files'] as const),
    { groupId, name: `${CANARY}.txt`, contentType: 'text/plain', size: bytes.length },
  );
  await put(upload, bytes);
  await ask(ada, 'POST', `/v1/files/${fileId}/complete`);
  await until(
    async () => (await ask<{ status: string }>(ada, 'GET', `/v1/files/${fileId}`)).status === 'clean',
  );
  const messages = `/v1/groups/${groupId}/messages`;
  const { messageId } = await ask<Record<string, string>>(
    ...([
      ada,
      'POST',
      messages,
      { clientMsgId: randomUUID(), text: `Hello from a ${ALL}`, fileIds: [fileId] },
    ] as const),
    { 'idempotency-key': `${CANARY}-key`, 'user-agent': `Browser of a ${ALL}`.replaceAll(/[^ -~]/g, '?') },
  );
  // Enough to fill pages of the table, and to be a frequent word in the planner's samples.
  for (let n = 0; n < 50; n += 1)
    await ask(ada, 'POST', messages, {
      clientMsgId: randomUUID(),
      text: `${n}: a ${ALL}, ${'la '.repeat(n)}`,
    });
  await ask(ada, 'PATCH', `${messages}/${messageId}`, { text: `Better: ${ALL}!` });
  const { messageId: kept } = await ask<Record<string, string>>(acme, 'POST', messages, {
    ...{ clientMsgId: randomUUID(), text: 'Welcome' },
  });
  await ask(acme, 'PATCH', `/v1/applications/${applicationId}`, {
    status: 'interview',
    reason: `A real ${ALL}`,
  });
  await until(() => lettersTo(mail, address).length > 1, 'a letter about the application');
  await owner.query('analyze; checkpoint');
  const before = await places();
  // The scan finds what there is.
  expect(before.database.filter((place) => place.startsWith('base/')).length).toBeGreaterThan(3);
  expect(before.database.filter((place) => place.startsWith('pg_wal/'))).not.toEqual([]);
  expect(before.others).not.toEqual([]);

  const auditor = await hireAuditor();
  const { erasureId } = await ask<{ erasureId: string }>(ada, 'DELETE', '/v1/me', { password: secret });
  const state = async () =>
    (await ask<{ state: string }>(auditor, 'GET', `/v1/privacy/erasures/${erasureId}`)).state;
  await until(async () => (await state()) === 'done', 'the erasure to be done', 60_000);

  expect(await places()).toEqual({ database: [], others: [], redis: [], rabbitmq: [], log: [] });
  // What the others have is as it was, and the log is complete.
  const { data } = await ask<{ data: Record<string, unknown>[] }>(acme, 'GET', `${messages}?limit=100`);
  expect(data.find(({ id }) => id === kept)).toMatchObject({ text: 'Welcome', erasedAt: null });
  expect(data.filter(({ senderId }) => senderId === ada.userId)).toHaveLength(51);
  expect(data.find(({ id }) => id === messageId)).toMatchObject({ text: null, erasedAt: expect.any(String) });
  await expect(logIn(server.url, address, secret)).rejects.toThrow(ChatProblem);
  await script('audit', 'verify');
  await script('projections', 'rebuild', 'all');
  expect((await places()).database).toEqual([]);
}, 180_000);
