import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { type Socket, io } from 'socket.io-client';
import { confirmAddress } from '../support/journeys/account-letters.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';
import { type MailServer, startMailServer } from '../support/servers/mail-server.ts';
import { type Redis, startRedis } from '../../tools/redis.ts';
import { type Session, call, logIn, signUp } from '../../tools/rest.ts';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';

/** Notifications from before a start wait for clients to reconnect, and a relay looks for what was put back. */
const TOLD_WITHIN_MS = 60_000;
/** The next leader waits for the end of the lease. */
const LED_WITHIN_MS = 30_000;

interface ReadModels {
  data: {
    name: string;
    rebuild: { state: string; requestedBy: string | null; error: string | null } | null;
  }[];
}

/** An operator works on the API of one process; others send the mail and make the read models. */
describe('an operator', () => {
  const address = `ada-${randomUUID()}@example.org`;
  const reason = 'Complaint 4711';
  let database: TestDatabase;
  let owner: pg.Client;
  let redis: Redis;
  let mail: MailServer;
  let api: ServerProcess;
  let projector: ServerProcess;
  let start: (roles: string, dataDir?: string) => Promise<ServerProcess>;
  let operator: Session;
  let acme: Session;
  let ada: Session;
  let groupId: string;
  let socket: Socket | undefined;

  const ask = <T>({ accessToken: token }: Session, method: string, path: string, body?: unknown) =>
    call<T>(api.url, method, path, { token, ...(body !== undefined && { body }) });
  const act = <T>(path: string, body: object = {}) =>
    ask<T>(operator, 'POST', `/v1/admin/${path}`, { reason, ...body });
  const rebuild = async (name: string) =>
    (await ask<ReadModels>(operator, 'GET', '/v1/admin/read-models')).data.find((each) => each.name === name)!
      .rebuild;

  beforeAll(async () => {
    [database, redis, mail] = await Promise.all([createTestDatabase(), startRedis(), startMailServer()]);
    owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    start = (ROLES, dataDir) =>
      startServer({
        ...(dataDir !== undefined && { dataDir }),
        env: {
          ...{ DATABASE_URL: database.ownerUrl, REDIS_URL: redis.url, SMTP_URL: mail.url, ROLES },
          ...{ ACCESS_TOKEN_SECONDS: '3600', LOGINS_PER_MINUTE: '1000' },
        },
      });
    [projector, api] = await Promise.all([start('projector'), start('api,realtime,notifier,worker')]);

    const credentials = { email: `grace-${randomUUID()}@example.org`, password: randomUUID() };
    const { email, password } = credentials;
    const command = ['scripts/admin.ts', 'create-user', '--role', 'admin', '--display-name', 'Grace'];
    await promisify(execFile)(process.execPath, [...command, '--email', email, '--password', password], {
      env: { PATH: process.env['PATH'], DATABASE_URL: database.ownerUrl },
    });
    operator = await logIn(api.url, email, password);
    acme = await signUp(api.url, { role: 'company', displayName: 'Acme' });
    ada = await signUp(api.url, { role: 'applicant', displayName: 'Ada', email: address });
    await confirmAddress(mail, address);
    const job = await ask<{ jobId: string; groupId: string }>(acme, 'POST', '/v1/jobs', {
      ...{ title: 'Engineer', description: 'Builds engines' },
    });
    ({ groupId } = job);
    await ask(ada, 'PUT', '/v1/me/notification-preferences', { digestMinutes: 0 });
    await ask(ada, 'POST', `/v1/jobs/${job.jobId}/applications`, {});
  }, 180_000);
  afterAll(async () => {
    socket?.disconnect();
    for (const server of [api, projector]) {
      await server?.killTree();
      if (server) await rm(server.dataDir, { recursive: true, force: true });
    }
    await owner?.end();
    await mail?.close();
    await redis?.stop();
    await database?.drop();
  });

  test('sends a parked mail again, which then arrives', async () => {
    const backlog = () => ask<{ parked: number }>(operator, 'GET', '/v1/admin/notifications');
    mail.refuse('recipient', 550);
    const text = `Are you there, ${randomUUID()}?`;
    await ask(acme, 'POST', `/v1/groups/${groupId}/messages`, { clientMsgId: randomUUID(), text });
    await until(async () => (await backlog()).parked === 1, 'the mail is parked', TOLD_WITHIN_MS);
    const { data } = await ask<{ data: { batchId: string; recipientId: string; reason: string }[] }>(
      ...([operator, 'GET', '/v1/admin/notifications/parked'] as const),
    );
    expect(data).toMatchObject([{ recipientId: ada.userId, reason: expect.stringContaining('550') }]);
    expect(JSON.stringify(data)).not.toContain(address);

    mail.works();
    const batchIds = [data[0]!.batchId];
    expect(await act('notifications/replay', { batchIds })).toMatchObject({ replayed: 1 });
    await until(
      () => mail.mails.some(({ mail: letter }) => letter.text?.includes(text)),
      'the mail arrives',
      TOLD_WITHIN_MS,
    );
    expect(await backlog()).toMatchObject({ parked: 0 });
  }, 150_000);

  test('suspends a user, whose socket ends', async () => {
    const auth = { token: ada.accessToken };
    socket = io(api.url, { transports: ['websocket'], auth, reconnection: false });
    await until(() => socket!.connected, 'the socket is open');
    expect(await act(`users/${ada.userId}/suspend`)).toMatchObject({ endedSessions: 1 });
    await until(() => socket!.disconnected, 'the socket has ended');
    await expect(ask(ada, 'GET', '/v1/me')).rejects.toThrow('The session has ended');
  });

  test('sees a rebuild done although its process was killed in the middle', async () => {
    // Holds it up at its end, where it replaces the live one.
    await owner.query('begin');
    await owner.query(`select from checkpoints where name = 'conversations' for update`);
    await act('read-models/conversations/rebuild');
    const isRunning = async () => (await rebuild('conversations'))?.state === 'running';
    await until(isRunning, 'it is shown', LED_WITHIN_MS);
    await projector.killProcess();
    await owner.query('rollback');
    await until(async () => !(await isRunning()), 'it is not running any more', LED_WITHIN_MS);
    expect(await rebuild('conversations')).toMatchObject({ requestedBy: operator.userId, error: null });

    projector = await start('projector', projector.dataDir);
    await until(async () => (await rebuild('conversations'))?.state === 'done', 'it is done', LED_WITHIN_MS);
    expect(await rebuild('conversations')).toMatchObject({ requestedBy: operator.userId });
    const { data } = await ask<{ data: unknown[] }>(acme, 'GET', `/v1/groups/${groupId}/messages`);
    expect(data.length).toBeGreaterThan(0);
    await act('read-models/conversations/rollback');
  }, 120_000);

  test('sees every process, and who leads what', async () => {
    const { status, nodes, leases } = await ask<{
      status: string;
      nodes: { nodeId: string; roles: string[] }[];
      leases: { name: string; nodeId: string | null }[];
    }>(operator, 'GET', '/v1/admin/system');
    expect(status).toBe('ready');
    const leader = leases.find(({ name }) => name === 'projector')!.nodeId;
    expect(nodes.find(({ nodeId }) => nodeId === leader)!.roles).toEqual(['projector']);
    expect(nodes.some(({ roles }) => roles.includes('api'))).toBe(true);
  });
});
