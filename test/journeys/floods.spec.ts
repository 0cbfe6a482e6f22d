import { randomUUID } from 'node:crypto';
import { type Answer, type Person, type TestApp, startApp } from '../support/stages/app.ts';
import { type Socket, io } from 'socket.io-client';
import { until } from '../../tools/until.ts';

/** The general budgets are the defaults; the test application raises all other limits. */
const env = { REQUESTS_PER_MINUTE: '', ANONYMOUS_REQUESTS_PER_MINUTE: '' };
const AT_ONCE = 20;

/** Makes `times` calls, AT_ONCE at a time, and resolves with the answers in order. */
async function flood<T>(times: number, call: (index: number) => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  let next = 0;
  async function caller() {
    while (next < times) {
      const index = next++;
      answers[index] = await call(index);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  return answers;
}

const refusedAmong = (answers: readonly Answer[]) => answers.filter(({ status }) => status === 429);

describe('rate limits', () => {
  let app: TestApp;
  let company: Person;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    app = await startApp(env);
  });
  beforeEach(async () => {
    company = await app.register('company');
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.disconnect();
  });
  afterAll(() => app.stop());

  async function post(person: Person, title = 'Engineer') {
    const body = { title, description: 'Builds engines' };
    const answer = await app.ask('POST', '/v1/jobs', { as: person, body });
    return { ...answer, groupId: answer.body['groupId'] as string };
  }

  async function send(person: Person, groupId: string): Promise<string> {
    const body = { clientMsgId: randomUUID(), text: 'Hello' };
    const answer = await app.ask('POST', `/v1/groups/${groupId}/messages`, { as: person, body });
    expect(answer.status).toBe(201);
    return `/v1/groups/${groupId}/messages/${answer.body['messageId'] as string}`;
  }

  async function connect({ accessToken }: Person): Promise<Socket> {
    const socket = io(app.url, { transports: ['websocket'], auth: { token: accessToken }, forceNew: true });
    sockets.push(socket);
    await until(() => socket.connected, 'the connection');
    return socket;
  }

  test('refuse most of a thousand edits, over REST and the socket, without effect on other users', async () => {
    const { groupId } = await post(company);
    const message = await send(company, groupId);
    const socket = await connect(company);
    const edit = (text: string) => app.ask('PATCH', message, { as: company, body: { text } });
    const answers = await flood(1_000, (index) => edit(`Version ${index}`));

    const refused = refusedAmong(answers);
    expect(refused.length).toBeGreaterThan(500);
    expect(answers.filter(({ status }) => status === 200).length).toBe(1_000 - refused.length);
    const { body, headers } = refused[0]!;
    expect(body).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    expect(body['retryAfterMs']).toBeGreaterThan(0);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(headers.get('ratelimit')).toMatch(/^"requests";r=\d+;t=\d+$/);

    const messageId = message.split('/').at(-1);
    const ack = await socket.emitWithAck('editMessage', { groupId, messageId, text: 'Over the socket' });
    expect(ack).toMatchObject({ ok: false, error: { code: 'RATE_LIMITED', retryable: true } });
    expect(ack.error.retryAfterMs).toBeGreaterThan(0);

    const other = await app.register('company');
    expect((await post(other)).status).toBe(201);
    // Messages have a quota of their own, fixed by the contract.
    await send(company, groupId);
  });

  test('refuse floods of reactions and read markers', async () => {
    const { groupId } = await post(company);
    const message = await send(company, groupId);
    const react = (index: number) =>
      app.ask(index % 2 ? 'DELETE' : 'PUT', `${message}/reactions/${encodeURIComponent('👍')}`, {
        as: company,
      });
    expect(refusedAmong(await flood(500, react)).length).toBeGreaterThan(100);

    const reader = await app.register('company');
    const own = await post(reader);
    const read = () => app.ask('PUT', `/v1/groups/${own.groupId}/read`, { as: reader, body: { seq: 0 } });
    expect(refusedAmong(await flood(800, read)).length).toBeGreaterThan(100);
  });

  test('stop 80 concurrent reactions of a user at twenty', async () => {
    const { groupId } = await post(company);
    const message = await send(company, groupId);
    const answers = await Promise.all(
      Array.from({ length: 80 }, (_, index) => {
        const emoji = encodeURIComponent(String.fromCodePoint(0x1f600 + index));
        return app.ask('PUT', `${message}/reactions/${emoji}`, { as: company });
      }),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
    const refused = answers.filter(({ status }) => status !== 200).map(({ body }) => body['code']);
    expect(refused).toStrictEqual(Array(60).fill('TOO_MANY_REACTIONS'));
  });

  test('refuse a flood of jobs', async () => {
    const answers = await flood(800, () => post(company));
    expect(refusedAmong(answers).length).toBeGreaterThan(100);
    expect(answers.slice(0, 300).map(({ status }) => status)).toStrictEqual(Array(300).fill(201));
  });

  test('refuse a flood of refreshes without an account by address, while logins continue', async () => {
    const body = { refreshToken: 'made up' };
    const answers = await flood(600, () => app.ask('POST', '/v1/auth/refresh', { body }));
    const refused = refusedAmong(answers);
    expect(refused.length).toBeGreaterThan(100);
    expect(refused[0]!.headers.get('ratelimit-policy')).toMatch(/^"anonymous";q=\d+;w=60$/);
    expect((await app.ask('GET', '/health/live')).status).toBe(200);
    await app.logIn(company);
  });

  test('admit a client that synchronizes 300 groups as it connects', async () => {
    const groups = (await flood(300, () => post(company))).map(({ groupId }) => groupId);
    const socket = io(app.url, {
      transports: ['websocket'],
      auth: { token: company.accessToken },
      forceNew: true,
    });
    sockets.push(socket);
    const answers = new Map<string, unknown>();
    socket.on('joinRoom', ({ groupId }: { groupId: string }) => {
      void socket
        .emitWithAck('sync', { groups: [{ groupId, afterSeq: 0 }] })
        .then((answer) => answers.set(groupId, answer.error?.code ?? 'ok'));
    });
    await until(() => answers.size === groups.length, 'every group to be answered');
    expect(groups.filter((groupId) => answers.get(groupId) !== 'ok')).toStrictEqual([]);
  });
});
