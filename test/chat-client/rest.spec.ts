import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRest, dataOf, ownWrites } from '../../packages/chat-client/src/rest.ts';
import { ChatProblem } from '../../packages/chat-client/src/problem.ts';

interface Heard {
  method: string;
  path: string;
  headers: Record<string, unknown>;
}
interface Told {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

const GROUP = '0199f5a0-3b1c-7c2e-9d4f-5a6b7c8d9e0f';
const problem = (status: number, code: string, more: object = {}): Told => ({
  status,
  body: { status, code, retryable: false, detail: 'Because', ...more },
});
const page: Told = { status: 200, body: { data: [], nextCursor: null } };

const token = { get: async () => 'token' };

/** A server that gives these answers in turn, and the last one from then on. */
async function stage(...answers: (Told | 'no answer')[]) {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    heard.push({ method: request.method!, path: request.url!, headers: request.headers });
    const answer = answers[Math.min(heard.length, answers.length) - 1]!;
    if (answer === 'no answer') return void request.socket.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const asked: (string | undefined)[] = [];
  const writes = ownWrites();
  const rest = createRest(
    {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      tokens: {
        async get(spent) {
          asked.push(spent);
          return spent === undefined ? 'first' : 'second';
        },
      },
      request: fetch,
    },
    writes,
  );
  const say = () =>
    dataOf(
      rest.POST('/v1/groups/{groupId}/messages', {
        params: { path: { groupId: GROUP } },
        body: { clientMsgId: 'one', text: 'hello' },
      }),
    );
  const list = () => dataOf(rest.GET('/v1/groups'));
  return { rest, heard, asked, writes, say, list, close: () => server.close() };
}
let open: Awaited<ReturnType<typeof stage>> | undefined;
const given = async (...answers: Parameters<typeof stage>) => (open = await stage(...answers));
afterEach(() => open?.close());

describe('a call of REST', () => {
  test('carries the token, and another one after a refusal', async () => {
    const { list, heard, asked } = await given(problem(401, 'TOKEN_EXPIRED', { retryable: true }), page);
    await list();
    expect(heard.map(({ headers }) => headers['authorization'])).toEqual(['Bearer first', 'Bearer second']);
    expect(asked).toEqual([undefined, 'first']);
  });

  test('is not repeated when the other token is refused too', async () => {
    const { list, heard } = await given(problem(401, 'TOKEN_INVALID'));
    await expect(list()).rejects.toMatchObject({ code: 'TOKEN_INVALID', status: 401 });
    expect(heard).toHaveLength(2);
  });

  test('is repeated under one Idempotency-Key until there is an answer', async () => {
    const unavailable = problem(503, 'UNAVAILABLE', { retryable: true, retryAfterMs: 1 });
    const { say, heard } = await given('no answer', unavailable, { status: 201, body: { seq: 1 } });
    expect(await say()).toEqual({ seq: 1 });
    const keys = heard.map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([expect.any(String), keys[0], keys[0]]);
  });

  test('throws a refusal with its code, and whether waiting helps', async () => {
    const errors = [{ pointer: '/text', message: 'Too long' }];
    const { say, heard } = await given(problem(400, 'BAD_REQUEST', { errors }));
    const refusal = await say().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ChatProblem);
    expect(refusal).toMatchObject({ code: 'BAD_REQUEST', status: 400, retryable: false, errors });
    expect(heard).toHaveLength(1);
  });

  test('gives up waiting for longer than a caller would', async () => {
    const limited = problem(429, 'RATE_LIMITED', { retryable: true, retryAfterMs: 60_000 });
    const { list, heard } = await given(limited);
    await expect(list()).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 60_000 });
    expect(heard).toHaveLength(1);
  });

  test('understands what is no problem document, such as the page of a proxy', async () => {
    const { list, heard } = await given({
      status: 502,
      body: 'Bad gateway',
      headers: { 'retry-after': '0' },
    });
    await expect(list()).rejects.toMatchObject({ code: 'NO_ANSWER', status: 502, retryable: true });
    expect(heard).toHaveLength(4);
  });

  test('reads what this client has written, and forgets positions of another log', async () => {
    const { say, list, heard, writes } = await given(
      { status: 201, body: { seq: 1, position: 'e.7' } },
      page,
      problem(409, 'POSITION_UNKNOWN'),
      page,
    );
    await say();
    await list();
    await list();
    expect(heard.map(({ headers }) => headers['x-min-position'])).toEqual([
      undefined,
      'e.7',
      'e.7',
      undefined,
    ]);
    expect(writes.position).toBeUndefined();
  });

  test('ends when its caller does not want it any more', async () => {
    const { rest, heard } = await given('no answer');
    await expect(rest.GET('/v1/groups', { signal: AbortSignal.abort() })).rejects.toThrow('abort');
    expect(heard).toEqual([]);
  });

  test('leaves the key of the caller as it is, who may repeat the call itself', async () => {
    const { rest, heard } = await given({ status: 201, body: {} });
    const headers = { 'idempotency-key': 'of the caller' };
    await rest.POST('/v1/jobs', { body: { title: 'Engineer', description: 'x' }, headers });
    expect(heard.map((each) => each.headers['idempotency-key'])).toEqual(['of the caller']);
  });

  test('answers a command with lines of JSON, however long they take', async () => {
    const halfway = Promise.withResolvers<void>();
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write('{"a":1}\n');
      void halfway.promise.then(() => response.end('{"b":2}\n'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const rest = createRest({ url, tokens: token, request: fetch, answerMs: 50 }, ownWrites());
    const body = { userId: GROUP };
    const { data } = await rest.POST('/v1/privacy/exports', { body, parseAs: 'stream' });
    setTimeout(() => halfway.resolve(), 200);
    expect(await new Response(data as unknown as ReadableStream).text()).toBe('{"a":1}\n{"b":2}\n');
    server.close();
  });

  test('waits longer for a look into the past', async () => {
    const server = createServer((_request, response) => {
      setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'), 500);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const rest = createRest({ url, tokens: token, request: fetch, answerMs: 250 }, ownWrites());
    const params = { path: { streamId: 'job-1' } };
    expect((await rest.GET('/v1/audit/streams/{streamId}', { params })).data).toEqual({});
    server.close();
  });

  test('does not wait for ever for the rest of an answer', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"data":');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const rest = createRest({ url, tokens: token, request: fetch, answerMs: 20 }, ownWrites());
    await expect(rest.GET('/v1/groups')).rejects.toMatchObject({ code: 'NO_ANSWER', retryable: true });
    server.closeAllConnections();
    server.close();
  });
});
