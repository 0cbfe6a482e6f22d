import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Listener } from '../../tools/listener.ts';
import { type Clamd, startClamd } from '../support/servers/clamd.ts';
import { type MailServer, startMailServer } from '../support/servers/mail-server.ts';
import { type Rabbitmq, startRabbitmq } from '../../tools/rabbitmq.ts';
import { type Redis, startRedis } from '../../tools/redis.ts';
import { ChatProblem, type Session, call, signUp } from '../../tools/rest.ts';
import type { ClientEvent, Payload } from '../../packages/chat-client/src/index.ts';
import { type ServerProcess, descendants, isReady, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';

/** See docs/promises.md no. 7. */
const DEADLINE_MS = 5_000;
const LOG_IN_DEADLINE_MS = 10_000;
/**
 * Rounds of one call of each kind while a neighbour is stopped. `STOPPED_SECONDS=30` sets a minimum duration.
 */
const ROUNDS = 3;
const STOPPED_MS = Number(process.env['STOPPED_SECONDS'] ?? 0) * 1_000;

/**
 * The answer to a client: a status and whether a retry is allowed; `unanswered` when the deadline passed
 * first, `disconnected` when the client had no connection.
 */
interface Answer {
  what: string;
  status: number | 'unanswered' | 'disconnected';
  retryable?: boolean;
  retryAfter?: string | null;
}

/** Each neighbour in turn accepts connections without answering, like a process stopped with SIGSTOP. */
describe('every call is answered in time while', () => {
  let redis: Redis;
  let rabbitmq: Rabbitmq;
  let clamd: Clamd;
  let mail: MailServer;
  let server: ServerProcess;
  let acme: Session;
  let client: Listener;
  let groupId: string;
  const owner = { email: `acme-${randomUUID()}@example.test`, password: randomUUID() };
  /** The texts of sent messages, by clientMsgId. */
  const texts = new Map<string, string>();
  const acknowledged = new Set<string>();

  beforeAll(async () => {
    [redis, rabbitmq, clamd, mail] = await Promise.all([
      startRedis(),
      startRabbitmq(),
      startClamd(),
      startMailServer(),
    ]);
    server = await startServer({
      readyWithinMs: 120_000,
      env: {
        REDIS_URL: redis.url,
        AMQP_URL: rabbitmq.url,
        CLAMD_URL: clamd.url,
        SMTP_URL: mail.url,
        ACCESS_TOKEN_SECONDS: '3600',
        MESSAGES_PER_MINUTE: '1000000',
        REQUESTS_PER_MINUTE: '1000000',
        ANONYMOUS_REQUESTS_PER_MINUTE: '1000000',
        LOGINS_PER_MINUTE: '1000',
      },
    });
    acme = await signUp(server.url, { role: 'company', displayName: 'Acme', ...owner });
    ({ groupId } = await call<{ groupId: string }>(server.url, 'POST', '/v1/jobs', {
      token: acme.accessToken,
      body: { title: 'Engineer', description: 'Builds engines' },
    }));
    client = await new Listener(acme).connect(30_000);
    await client.send({ groupId, text: 'The first' });
  }, 240_000);

  afterAll(async () => {
    client?.close();
    await server?.killTree();
    if (server) await rm(server.dataDir, { recursive: true, force: true });
    await mail?.close();
    await Promise.all([clamd?.stop(), rabbitmq?.stop(), redis?.stop()]);
  }, 60_000);

  async function rest(
    method: string,
    path: string,
    { body, deadlineMs = DEADLINE_MS }: { body?: unknown; deadlineMs?: number } = {},
  ): Promise<Answer> {
    const what = `${method} ${path}`;
    try {
      const response = await fetch(server.url + path, {
        method,
        headers: {
          authorization: `Bearer ${acme.accessToken}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(deadlineMs),
      });
      const { retryable } = (await response.json().catch(() => ({}))) as { retryable?: boolean };
      return {
        what,
        status: response.status,
        retryAfter: response.headers.get('retry-after'),
        ...(retryable !== undefined && { retryable }),
      };
    } catch {
      return { what, status: 'unanswered' };
    }
  }

  async function socket<N extends ClientEvent>(event: N, payload: Payload<N>): Promise<Answer> {
    if (!client.isConnected) return { what: event, status: 'disconnected' };
    const late = pause(DEADLINE_MS, undefined, { ref: false });
    const answer = await Promise.race([late, client.ask(event, payload).catch((error: unknown) => error)]);
    if (!(answer instanceof ChatProblem))
      return { what: event, status: answer === undefined ? 'unanswered' : 200, retryAfter: '1' };
    const { code, status, retryable } = answer;
    if (code === 'NO_ANSWER') return { what: event, status: 'unanswered' };
    return { what: event, status, retryable, retryAfter: '1' };
  }

  /** Sends a message over REST or the socket, and records it and its acknowledgement. */
  async function send(way: typeof rest | typeof socket): Promise<Answer> {
    const clientMsgId = randomUUID();
    const text = `Message ${texts.size}`;
    texts.set(clientMsgId, text);
    const answer =
      way === rest
        ? await rest('POST', `/v1/groups/${groupId}/messages`, { body: { clientMsgId, text } })
        : await socket('sendMessage', { groupId, clientMsgId, text });
    if (typeof answer.status === 'number' && answer.status < 300) acknowledged.add(clientMsgId);
    return answer;
  }

  /** Makes one call of every kind, all at once. */
  const everyKind = (): Promise<Answer[]> =>
    Promise.all([
      rest('GET', '/health/live'),
      rest('GET', '/health/ready'),
      rest('GET', '/metrics'),
      rest('GET', '/v1/groups'),
      rest('GET', '/v1/me'),
      rest('GET', '/v1/search/messages?q=first'),
      rest('GET', `/v1/groups/${groupId}/messages`),
      rest('GET', '/v1/jobs?q=engineer'),
      rest('PUT', `/v1/groups/${groupId}/read`, { body: { seq: 1 } }),
      rest('POST', '/v1/jobs', { body: { title: 'Another', description: 'As well' } }),
      rest('POST', '/v1/files', {
        body: { name: 'cv.txt', contentType: 'text/plain', size: 2, groupId },
      }),
      rest('POST', '/v1/auth/login', { body: owner, deadlineMs: LOG_IN_DEADLINE_MS }),
      rest('POST', '/v1/auth/refresh', { body: { refreshToken: 'none' } }),
      send(rest),
      send(socket),
      socket('markRead', { groupId, seq: 1 }),
      socket('sync', { groups: [{ groupId, afterSeq: 0 }] }),
      socket('joinRoom', { groupId }),
    ]);

  function expectInTime(answers: readonly Answer[]): void {
    for (const answer of answers) {
      const isReadiness = answer.what === 'GET /health/ready';
      expect(answer).not.toMatchObject({ status: 'unanswered' });
      expect(answer).not.toMatchObject({ status: 500 });
      if (answer.status !== 503 || isReadiness) continue;
      expect(answer).toMatchObject({ retryable: true, retryAfter: expect.any(String) });
    }
    const upkeep = answers.filter(({ what }) => /live|metrics/.test(what));
    expect(upkeep.map(({ status }) => status)).toEqual(upkeep.map(() => 200));
  }

  /** Repeats every message and expects each exactly once, whether it was acknowledged before or not. */
  async function expectNothingLost(): Promise<void> {
    // Makes REST wait for this position.
    let last = 0;
    for (const [clientMsgId, text] of texts) {
      const { position } = await client.send({ groupId, clientMsgId, text });
      last = Math.max(last, Number(position.split('.')[1]));
    }
    const stored: string[] = [];
    for (let [before, isMore] = ['', true]; isMore;) {
      const page = await call<{ data: { seq: number; text: string }[]; hasMore: boolean }>(
        server.url,
        'GET',
        `/v1/groups/${groupId}/messages?limit=100${before}`,
        { token: acme.accessToken, headers: { 'x-min-position': String(last) } },
      );
      stored.push(...page.data.map(({ text }) => text).filter((text) => text.startsWith('Message')));
      before = `&beforeSeq=${Math.min(...page.data.map(({ seq }) => seq))}`;
      isMore = page.hasMore;
    }
    expect(stored.toSorted()).toEqual([...texts.values()].toSorted());
  }

  async function inRounds(work: () => Promise<void>): Promise<void> {
    const begun = performance.now();
    for (let round = 0; round < ROUNDS || performance.now() - begun < STOPPED_MS; round += 1) await work();
  }

  const stop = (pids: readonly number[]) => pids.forEach((pid) => process.kill(pid, 'SIGSTOP'));
  const resume = (pids: readonly number[]) => pids.forEach((pid) => process.kill(pid, 'SIGCONT'));
  const tree = (pid: number) => [pid, ...descendants(pid)];

  test('PostgreSQL is stopped, as readiness reports', async () => {
    const pids = tree(server.databasePid()!);
    stop(pids);
    try {
      // The first call that cannot succeed.
      const first = send(rest);
      await until(async () => !(await isReady(server.url)), 'the node is not ready', DEADLINE_MS);
      const answers = [await first];
      await inRounds(async () => {
        answers.push(...(await everyKind()));
        expect(await isReady(server.url)).toBe(false);
      });
      expectInTime(answers);
      const commands = answers.filter(
        ({ what, status }) => /^POST .*(messages|jobs)$|^sendMessage/.test(what) && status !== 'disconnected',
      );
      expect(commands.map(({ status }) => status)).toEqual(commands.map(() => 503));
    } finally {
      resume(pids);
    }
    await until(() => isReady(server.url), 'the node is ready again');
    await expectNothingLost();
  }, 240_000);

  const others: [name: string, stopIt: () => void, resumeIt: () => void][] = [
    ['Redis', () => stop([redis.pid]), () => resume([redis.pid])],
    ['RabbitMQ', () => stop(tree(rabbitmq.pid)), () => resume(tree(rabbitmq.pid))],
    ['clamd', () => stop([clamd.pid]), () => resume([clamd.pid])],
    ['the mail server', () => mail.hang(), () => mail.works()],
  ];
  test.each(others)(
    '%s is stopped, and messages are still stored',
    async (_name, stopIt, resumeIt) => {
      stopIt();
      try {
        await inRounds(async () => {
          const answers = await everyKind();
          expectInTime(answers);
          expect(answers.find(({ what }) => what.startsWith('POST /v1/groups'))?.status).toBeLessThan(300);
          expect(answers.find(({ what }) => what === 'GET /health/ready')).toMatchObject({ status: 200 });
        });
      } finally {
        resumeIt();
      }
      await expectNothingLost();
    },
    240_000,
  );
});
