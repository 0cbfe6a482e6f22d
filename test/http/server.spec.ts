import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { CommandRejected, AutomationRefused } from '../../src/commands/rejection.ts';
import {
  acme,
  ada,
  eve,
  groupCreated,
  groupId,
  jobPosted,
  posting,
  registered,
  uuid,
} from '../support/language/example-events.ts';
import { EPOCH, positionsIn } from '../support/stages/positions.ts';
import { httpStage } from '../support/stages/http-stage.ts';

const PROBLEM = 'application/problem+json';

describe('the HTTP server', () => {
  let stage: Awaited<ReturnType<typeof httpStage>>;
  beforeAll(async () => {
    stage = await httpStage({ history: [registered(acme), registered(ada), jobPosted, groupCreated] });
  });
  afterAll(() => stage.close());

  const messages = `/v1/groups/${groupId}/messages`;
  const send = (body: unknown, as = acme) => stage.ask('POST', messages, { as, body });

  test('answers an error with a problem that names its instance and is not cached', async () => {
    const { headers, body } = await stage.ask('GET', '/nowhere?q=secret');
    expect(body).toStrictEqual({
      type: 'urn:problem:not-found',
      title: 'There is nothing here',
      status: 404,
      detail: 'There is nothing here',
      instance: '/nowhere',
      code: 'NOT_FOUND',
      retryable: false,
    });
    expect(headers).toMatchObject({ 'content-type': PROBLEM, 'cache-control': 'no-store' });
  });

  test.each([
    ['a field that no call takes', 'application/json', '{"a":1}'],
    ['broken JSON', 'application/json', '{'],
    ['another type', 'text/plain', 'hello'],
    ['another encoding', 'application/json; charset=utf-16', '{}'],
    ['a body that is too large', 'application/json', ' '.repeat(100_000)],
  ])('answers 404 on an unknown path before it looks at a body with %s', async (_what, type, payload) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const)
      for (const headers of [{ 'content-type': type }, { 'content-type': type, 'content-encoding': 'gzip' }])
        expect(await stage.ask(method, '/v1/group/x/messages', { as: acme, payload, headers })).toMatchObject(
          {
            status: 404,
            body: { code: 'NOT_FOUND' },
          },
        );
  });

  test('sends security headers with every answer', async () => {
    for (const path of ['/health/live', '/nowhere', '/v1/jobs'])
      expect((await stage.ask('GET', path)).headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'strict-transport-security': expect.stringContaining('max-age='),
        'content-security-policy': expect.stringContaining("default-src 'self'"),
        'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
  });

  const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
  const UUID = '4bf92f35-77b3-4da6-a3ce-929d0e0e4736';
  const OTHER = '0af76519-16cd-43dd-8448-eb211c80319c';
  test.each<[string, Record<string, string>, string | undefined]>([
    ['the trace of the caller', { traceparent: `00-${TRACE}-00f067aa0ba902b7-00` }, UUID],
    ['the id of a request', { 'x-request-id': UUID.toUpperCase() }, UUID],
    ['the id of a proxy', { 'x-request-id': TRACE }, UUID],
    ['the correlation id of the caller', { 'x-correlation-id': UUID }, UUID],
    [
      'the trace before other ids',
      { traceparent: `00-${TRACE}-00f067aa0ba902b7-01`, 'x-request-id': OTHER, 'x-correlation-id': OTHER },
      UUID,
    ],
    [
      'the id of a request before a correlation id',
      { 'x-request-id': UUID, 'x-correlation-id': OTHER },
      UUID,
    ],
    ['no malformed trace', { traceparent: `00-${TRACE}-0000000000000000-01` }, undefined],
    ['no other text', { 'x-request-id': 'request 7', 'x-correlation-id': `${UUID}0` }, undefined],
    ['not the nil UUID', { 'x-request-id': '0'.repeat(32) }, undefined],
  ])('takes for a request %s', async (_what, headers, id) => {
    const answer = await stage.ask('GET', '/v1/limits', { headers });
    if (id !== undefined) expect(answer.headers['x-request-id']).toBe(id);
    else expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]+$/);
  });

  test('names the allowed methods of a path', async () => {
    const { body, headers } = await stage.ask('DELETE', '/v1/jobs', { as: acme });
    expect(body).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' });
    expect(headers['allow']).toBe('GET, HEAD, POST');
  });

  test.each([
    ['a path that is not UTF-8', '/v1/jobs/%ff', 'BAD_REQUEST'],
    ['an invalid id', '/v1/jobs/1', 'BAD_REQUEST'],
    ['an unknown parameter', '/v1/groups?page=2', 'BAD_REQUEST'],
    ['a parameter twice', '/v1/groups?limit=1&limit=2', 'BAD_REQUEST'],
    ['a limit of zero', '/v1/groups?limit=0', 'BAD_REQUEST'],
    ['a limit out of range', '/v1/groups?limit=101', 'BAD_REQUEST'],
    ['a limit in another notation', '/v1/groups?limit=1e1', 'BAD_REQUEST'],
    ['two start positions', `${messages}?beforeSeq=1&afterSeq=1`, 'BAD_REQUEST'],
    ['NUL in a query', '/v1/jobs?q=%00', 'BAD_REQUEST'],
  ])('refuses %s', async (_what, path, code) => {
    const { status, body } = await stage.ask('GET', path, { as: acme });
    expect(body).toMatchObject({ status, code });
  });

  test('points at every fault in a body', async () => {
    const { body } = await send({ clientMsgId: 'x', text: '', extra: 1, 'a/b': 2 });
    expect(body).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    const errors = body['errors'] as { pointer: string }[];
    expect(errors.map(({ pointer }) => pointer)).toStrictEqual(['/clientMsgId', '/text', '/extra', '/a~1b']);
  });

  test('keeps the answer to a hostile body short', async () => {
    const fields = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`${n}${'x'.repeat(40)}`, n]));
    const { text: answer, status } = await send({ ...fields, ['y'.repeat(10_000)]: 1 });
    expect(status).toBe(400);
    expect(answer.length).toBeLessThan(10_000);
  });

  test('requires a text or a file in a message', async () => {
    const { body } = await send({ clientMsgId: randomUUID() });
    expect(body).toMatchObject({ status: 400, errors: [{ pointer: '/text' }] });
  });

  test('counts characters, not UTF-16 code units', async () => {
    expect((await send({ clientMsgId: randomUUID(), text: '🙂'.repeat(4_000) })).status).toBe(201);
    expect((await send({ clientMsgId: randomUUID(), text: '🙂'.repeat(4_001) })).status).toBe(400);
  });

  test.each([
    ['an array', '[]', 400],
    ['null', 'null', 400],
    ['invalid JSON', '{', 400],
    ['an infinite number', '{"clientMsgId":1e400}', 400],
    ['nothing', '', 400],
    ['65,537 bytes', `{"text":"${'x'.repeat(65_537 - 11)}"}`, 413],
  ])('refuses a body of %s', async (_what, payload, status) => {
    const { body, headers } = await stage.ask('POST', messages, { as: acme, payload });
    expect(body).toMatchObject({ status, retryable: false });
    expect(headers['content-type']).toBe(PROBLEM);
  });

  test('accepts a body of 65,536 bytes', async () => {
    const payload = `{"text":"${'x'.repeat(65_536 - 11)}"}`;
    expect(payload).toHaveLength(65_536);
    expect((await stage.ask('POST', messages, { as: acme, payload })).body).toMatchObject({ status: 400 });
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'multipart/form-data'])(
    'accepts only JSON, not %s',
    async (type) => {
      const { body } = await stage.ask('POST', messages, {
        as: acme,
        payload: 'a=1',
        headers: { 'content-type': type },
      });
      expect(body).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
    },
  );

  test.each([
    ['compressed', { 'content-encoding': 'gzip' }, '{}'],
    ['in another charset', { 'content-type': 'application/json; charset=utf-16' }, '{}'],
    ['in UTF-16', {}, Buffer.from('\uFEFF{}', 'utf16le')],
  ])('refuses a body %s', async (_what, headers, payload) => {
    const { body } = await stage.ask('POST', messages, { as: acme, payload, headers });
    expect(body).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
  });

  test('accepts JSON with a UTF-8 charset', async () => {
    const headers = { 'content-type': 'application/json; charset="UTF-8"', 'content-encoding': 'identity' };
    const payload = JSON.stringify({ clientMsgId: randomUUID(), text: 'Hi', fileIds: null, replyTo: null });
    expect((await stage.ask('POST', messages, { as: acme, payload, headers })).status).toBe(201);
  });

  test.each(['00000000-0000-0000-0000-000000000000', 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'])(
    'refuses a message with the clientMsgId %s',
    async (clientMsgId) => {
      const { body } = await stage.ask('POST', messages, { as: acme, body: { clientMsgId, text: 'Hi' } });
      expect(body).toMatchObject({ status: 400, errors: [{ pointer: '/clientMsgId' }] });
    },
  );

  test.each([' ', '\u200B', '\u3164'])('refuses a message of %j alone', async (text) => {
    const { body } = await stage.ask('POST', messages, {
      as: acme,
      body: { clientMsgId: randomUUID(), text },
    });
    expect(body).toMatchObject({ status: 400, errors: [{ pointer: '/text' }] });
  });

  test('checks the path before the body', async () => {
    const { body } = await stage.ask('POST', '/v1/nowhere', { as: acme, payload: '{' });
    expect(body).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    const { body: other } = await stage.ask('PATCH', messages, { as: acme, payload: '{' });
    expect(other).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' });
  });

  test('answers 413 to a body of five megabytes', async () => {
    const large = await httpStage({ databaseUrl: stage.url, history: [] });
    const url = await large.app.listen({ port: 0, host: '127.0.0.1' });
    const body = JSON.stringify({ text: 'x'.repeat(5_000_000) });
    for (let round = 0; round < 5; round += 1) {
      const response = await fetch(url + messages, {
        method: 'POST',
        headers: { authorization: `Bearer ${JSON.stringify(acme)}`, 'content-type': 'application/json' },
        body,
      });
      expect(response.status).toBe(413);
    }
    await large.close();
  });

  test('accepts only an empty object where no body is expected', async () => {
    const close = (body: unknown) => stage.ask('POST', `/v1/jobs/${randomUUID()}/close`, { as: acme, body });
    expect((await close({})).body).toMatchObject({ code: 'JOB_NOT_FOUND' });
    expect((await close({ force: true })).body).toMatchObject({
      status: 400,
      errors: [{ pointer: '/force' }],
    });
  });

  test('reports the rest of the message quota, and when to retry', async () => {
    const fresh = await httpStage({ databaseUrl: stage.url, history: [groupCreated] });
    const path = messages;
    const next = () => fresh.ask('POST', path, { as: acme, body: { clientMsgId: randomUUID(), text: 'Hi' } });
    const first = await next();
    expect(first.headers).toMatchObject({
      'ratelimit-policy': '"messages";q=100;w=60',
      ratelimit: expect.stringMatching(/^"messages";r=99;t=(60|59)$/),
    });
    for (let sent = 1; sent < 100; sent += 1) await next();
    const refused = await next();
    expect(refused.body).toMatchObject({ status: 429, code: 'RATE_LIMITED', retryable: true });
    expect(refused.body).not.toHaveProperty('retryAfterSeconds');
    expect(refused.headers).toMatchObject({
      'ratelimit-policy': '"messages";q=100;w=60',
      ratelimit: expect.stringMatching(/^"messages";r=0;t=\d+$/),
      'retry-after': expect.stringMatching(/^\d+$/),
    });
    await fresh.close();
  });

  test('publishes its limits', async () => {
    const { status, body } = await stage.ask('GET', '/v1/limits');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      message: { textLength: 4_000, files: 10, reactionsPerUser: 20 },
      file: { size: 26_214_400, types: expect.arrayContaining(['application/pdf', 'image/png']) },
      rates: { messages: { limit: 1_000_000, windowSeconds: 60, by: 'user' } },
      costs: { usual: { query: 1 }, exceptions: { sendMessage: 'messages', editMessage: 10 } },
    });
  });

  test('counts unknown routes and anonymous requests by address', async () => {
    const path = '/nowhere';
    const left = async (method: 'GET' | 'POST', url: string) => {
      const { headers } = await stage.ask(method, url);
      return headers['ratelimit'] === undefined
        ? undefined
        : /^"anonymous";r=(\d+)/.exec(String(headers['ratelimit']))?.[1];
    };
    const before = Number(await left('GET', path));
    expect(Number(await left('POST', path))).toBe(before - 5);
    expect(Number(await left('GET', '/openapi.json'))).toBe(before - 6);
    expect(await left('GET', '/health/live')).toBeUndefined();
    await stage.ask('GET', '/v1/groups');
    expect(Number(await left('GET', path))).toBe(before - 12);
  });

  test('charges the default cost for a route without its own', async () => {
    const left = async (method: 'GET' | 'POST', url: string) => {
      const { headers } = await stage.ask(method, url, { as: eve });
      return Number(/^"requests";r=(\d+)/.exec(String(headers['ratelimit']))?.[1]);
    };
    const url = `/v1/jobs/${randomUUID()}/close`;
    const before = await left('GET', `/v1/groups/${groupId}`);
    expect(await left('POST', url)).toBe(before - 5);
    expect(await left('GET', '/v1/jobs?q=engineer')).toBe(before - 15);
  });

  test('answers a repeated message with 200 and the first outcome', async () => {
    const body = { clientMsgId: randomUUID(), text: 'Once' };
    const first = await send(body);
    const second = await send(body);
    expect(first).toMatchObject({ status: 201, body: { duplicate: false } });
    expect(second).toMatchObject({ status: 200, body: { ...first.body, duplicate: true } });
    expect((await send({ ...body, text: 'Twice' })).body).toMatchObject({
      status: 409,
      code: 'CLIENT_MSG_ID_REUSED',
    });
  });

  test('gives a stranger the same answer for a group as for a missing one', async () => {
    const strip = ({ body: { instance: _, ...rest } }: { body: Record<string, unknown> }) =>
      JSON.stringify(rest);
    const path = (id: string) => `/v1/groups/${id}`;
    const [real, none] = await Promise.all(
      [groupId, randomUUID()].map((id) => stage.ask('GET', path(id), { as: eve })),
    );
    expect(real?.status).toBe(404);
    expect(strip(real!)).toBe(strip(none!));
  });

  test('waits for a position, and answers 503 when it is not reached', async () => {
    const waited: number[] = [];
    const behind = await httpStage({
      databaseUrl: stage.url,
      progress: { reached: async (position) => waited.push(position) < 1, positions: () => new Map() },
      positions: positionsIn({ head: async () => 7 }),
    });
    const ask = (position: string) =>
      behind.ask('GET', '/v1/jobs', { as: acme, headers: { 'x-min-position': position } });
    const { body, headers } = await ask(`${EPOCH}.7`);
    expect((await ask('7')).body).toMatchObject({ status: 503, code: 'NOT_CAUGHT_UP' });
    expect(waited).toStrictEqual([7, 7]);
    expect(body).toMatchObject({ status: 503, code: 'NOT_CAUGHT_UP', retryable: true });
    expect(headers['retry-after']).toBe('1');
    const line = behind.lines().find(({ code }) => code === 'NOT_CAUGHT_UP');
    expect(line).toMatchObject({ level: 40 });
    expect(line).not.toHaveProperty('err');
    for (const malformed of ['x', '-1', '1.5', '1e3', '99999999999999999999', '', `${EPOCH}.`, `${EPOCH}.-1`])
      expect((await ask(malformed)).body).toMatchObject({ status: 400 });
    await behind.close();
  });

  test('refuses a position that the log does not have, for good', async () => {
    const waited: number[] = [];
    const behind = await httpStage({
      databaseUrl: stage.url,
      progress: { reached: async (position) => waited.push(position) < 1, positions: () => new Map() },
      positions: positionsIn({ head: async () => 7 }),
    });
    for (const position of ['earlier1.3', 'earlier1.8', `${EPOCH}.8`, '8']) {
      const { body } = await behind.ask('GET', '/v1/jobs', {
        as: acme,
        headers: { 'x-min-position': position },
      });
      expect(body).toMatchObject({ status: 409, code: 'POSITION_UNKNOWN', retryable: false });
    }
    // A position of another epoch is not waited for.
    expect(waited).toStrictEqual([8, 8]);
    await behind.close();
  });

  test.each([
    '/health/live',
    '/health/ready',
    '/metrics',
    '/.well-known/jwks.json',
    '/openapi.json',
    '/v1/jobs',
  ])('does not wait for a position in an anonymous request to %s', async (path) => {
    const waited: number[] = [];
    const behind = await httpStage({
      databaseUrl: stage.url,
      progress: { reached: async (position) => waited.push(position) < 1, positions: () => new Map() },
    });
    const { status } = await behind.ask('GET', path, { headers: { 'x-min-position': '7' } });
    expect(status).toBe(path === '/v1/jobs' ? 401 : 200);
    expect(waited).toEqual([]);
    await behind.close();
  });

  test('logs its own faults without revealing them', async () => {
    const broken = await httpStage({
      databaseUrl: stage.url,
      readiness: () => Promise.reject(new Error('the canary is dead')),
    });
    const { body, text: answer } = await broken.ask('GET', '/health/ready');
    expect(body).toMatchObject({ status: 500, code: 'INTERNAL' });
    expect(answer).not.toContain('canary');
    expect(broken.refused).toStrictEqual(['INTERNAL']);
    expect(broken.lines().find(({ code }) => code === 'INTERNAL')).toMatchObject({
      err: { message: 'the canary is dead' },
    });
    await broken.close();
  });

  test('is not ready while a dependency is missing, and names it without details', async () => {
    const dependencies = { postgres: { status: 'down', detail: '10.0.0.7:5432 refused' } } as const;
    const unready = await httpStage({
      databaseUrl: stage.url,
      readiness: async () => ({ ready: false, dependencies }),
    });
    expect(await unready.ask('GET', '/health/ready')).toMatchObject({
      status: 503,
      body: { status: 'not ready', dependencies: { postgres: { status: 'down' } } },
    });
    expect((await unready.ask('GET', '/health/ready')).text).not.toContain('10.0.0.7');
    expect((await unready.ask('GET', '/health/live')).status).toBe(200);
    await unready.close();
  });

  test('logs one line for each answer, with the route pattern and without the query', async () => {
    await stage.ask('GET', `/v1/groups/${groupId}?q=secret`, { as: eve });
    const line = stage.lines().findLast(({ msg }) => msg === 'answered');
    expect(line).toMatchObject({
      route: '/v1/groups/:groupId',
      method: 'GET',
      status: 400,
      userId: eve.userId,
    });
    expect(JSON.stringify(stage.lines())).not.toContain('secret');
  });

  test('answers malformed HTTP and oversized headers with a problem', async () => {
    await stage.app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = stage.app.server.address() as AddressInfo;
    const raw = async (bytes: string) => {
      const socket = connect(port, '127.0.0.1');
      socket.end(bytes);
      return text(socket);
    };
    expect(await raw('nonsense\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 .*application\/problem\+json.*BAD_REQUEST/s,
    );
    expect(await raw(`GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
  });

  test('does not answer 200 when an automation refuses what the call promised', async () => {
    const handle = async () => {
      throw new AutomationRefused(
        'when-job-posted-create-chat-group',
        uuid(1),
        new CommandRejected('LAST_ADMIN'),
      );
    };
    const refusing = await httpStage({ handle });
    const answer = await refusing.ask('POST', '/v1/jobs', { as: acme, body: posting });
    expect(answer).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { code: 'UNAVAILABLE', retryable: true },
    });
    await refusing.close();
  });
});
