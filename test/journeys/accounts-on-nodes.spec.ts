import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { type Socket, io } from 'socket.io-client';
import {
  RESET,
  VERIFICATION,
  confirmAddress,
  lettersTo,
  linkIn,
  tokenOf,
} from '../support/journeys/account-letters.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';
import { type MailServer, startMailServer } from '../support/servers/mail-server.ts';
import { type Redis, startRedis } from '../../tools/redis.ts';
import { ChatProblem, type Session, call, logIn } from '../../tools/rest.ts';
import { type ServerProcess, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';

/** The longest time for which any node may still accept an ended session. */
const ENDED_WITHIN_MS = 5_000;

describe('an account on two nodes', () => {
  let database: TestDatabase;
  let redis: Redis;
  let mail: MailServer;
  let nodes: ServerProcess[];
  const sockets: Socket[] = [];

  const startNodes = () =>
    Promise.all(
      [0, 1].map((n) =>
        startServer({
          ...(nodes?.[n] && { dataDir: nodes[n].dataDir }),
          env: {
            DATABASE_URL: database.ownerUrl,
            REDIS_URL: redis.url,
            SMTP_URL: mail.url,
            LOGINS_PER_MINUTE: '1000',
          },
        }),
      ),
    );
  const register = async (email: string, password: string) => {
    const body = { role: 'applicant', displayName: 'Ada', email, password };
    await call(nodes[0]!.url, 'POST', '/v1/auth/register', { body });
  };
  /** Logs in on the first node and opens a socket on the second. */
  async function newSession(email: string, password: string) {
    const session = await logIn(nodes[0]!.url, email, password);
    const auth = { token: session.accessToken };
    const socket = io(nodes[1]!.url, { transports: ['websocket'], auth, reconnection: false });
    sockets.push(socket);
    await until(() => socket.connected, 'the socket to open');
    return { ...session, socket };
  }
  const codeOn = (node: ServerProcess, { accessToken: token }: Session) =>
    call(node.url, 'GET', '/v1/me', { token }).then(
      () => 'let in',
      (error: unknown) => (error instanceof ChatProblem ? error.code : String(error)),
    );
  const endsEverywhere = (session: Awaited<ReturnType<typeof newSession>>) =>
    until(
      async () =>
        !session.socket.connected &&
        (await codeOn(nodes[0]!, session)) === 'TOKEN_REVOKED' &&
        (await codeOn(nodes[1]!, session)) === 'TOKEN_REVOKED',
      'the session to end on both nodes',
      ENDED_WITHIN_MS,
    );

  beforeAll(async () => {
    [database, redis, mail] = await Promise.all([createTestDatabase(), startRedis(), startMailServer()]);
    nodes = await startNodes();
  }, 120_000);
  afterAll(async () => {
    for (const socket of sockets) socket.disconnect();
    for (const node of nodes ?? []) {
      await node.killTree();
      await rm(node.dataDir, { recursive: true, force: true });
    }
    await mail?.close();
    await redis?.stop();
    await database?.drop();
  }, 60_000);

  test('loses sessions and sockets on both nodes after a password change, a reset or the end of a session', async () => {
    const email = `${randomUUID()}@example.org`;
    const passwords = [randomUUID(), randomUUID(), randomUUID()] as const;
    await register(email, passwords[0]);
    await confirmAddress(mail, email);
    const [own, other] = [await newSession(email, passwords[0]), await newSession(email, passwords[0])];
    await call(nodes[0]!.url, 'PUT', '/v1/me/password', {
      token: own.accessToken,
      body: { currentPassword: passwords[0], newPassword: passwords[1] },
    });
    await endsEverywhere(other);
    expect(own.socket.connected).toBe(true);
    expect(await codeOn(nodes[1]!, own)).toBe('let in');

    const third = await newSession(email, passwords[1]);
    const { data } = await call<{ data: { sessionId: string; current: boolean }[] }>(
      nodes[1]!.url,
      'GET',
      '/v1/me/sessions',
      { token: own.accessToken },
    );
    expect(data.map(({ current }) => current).toSorted()).toEqual([false, true]);
    const { sessionId } = data.find(({ current }) => !current)!;
    await call(nodes[1]!.url, 'DELETE', `/v1/me/sessions/${sessionId}`, { token: own.accessToken });
    await endsEverywhere(third);
    expect(own.socket.connected).toBe(true);

    await call(nodes[0]!.url, 'POST', '/v1/auth/password-reset', { body: { email } });
    const token = tokenOf(await linkIn(mail, email, RESET));
    const body = { token, password: passwords[2] };
    await call(nodes[0]!.url, 'POST', '/v1/auth/password-reset/confirm', { body });
    await endsEverywhere(own);
    await newSession(email, passwords[2]);
  }, 120_000);

  test('can request its letter three times an hour across both nodes', async () => {
    const email = `${randomUUID()}@example.org`;
    const password = randomUUID();
    await register(email, password);
    const { accessToken: token } = await logIn(nodes[0]!.url, email, password);
    const again = (n: number) =>
      call(nodes[n % 2]!.url, 'POST', '/v1/auth/email-verification', { token }).then(
        () => 202,
        (error: unknown) => (error instanceof ChatProblem ? error.status : error),
      );
    const answers = [];
    for (let n = 0; n < 5; n += 1) answers.push(await again(n));
    expect(answers).toEqual([202, 202, 202, 429, 429]);
    await linkIn(mail, email, VERIFICATION, 3);
    expect(lettersTo(mail, email)).toHaveLength(3);
  }, 60_000);

  test('gets its letter exactly once when every node is killed before the mail server answers', async () => {
    const email = `${randomUUID()}@example.org`;
    mail.hang();
    await register(email, randomUUID());
    await Promise.all(nodes.map((node) => node.killProcess()));
    mail.works();
    nodes = await startNodes();
    await until(() => lettersTo(mail, email).length > 0, 'the letter', 90_000);
    await confirmAddress(mail, email);
    expect(lettersTo(mail, email)).toHaveLength(1);
  }, 180_000);
});
