import { createConnection } from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import Fastify from 'fastify';
import { answerInTime } from '../../../src/http/hooks/answer-in-time.ts';
import {
  acme,
  ada,
  groupCreated,
  groupId,
  jobPosted,
  registered,
} from '../../support/language/example-events.ts';
import { httpStage } from '../../support/stages/http-stage.ts';
import { until } from '../../../tools/until.ts';

const DEADLINE_MS = 5_000;
const LOG_IN_DEADLINE_MS = 10_000;
const clientMsgId = '019f8a6e-0000-7000-8000-000000000001';

describe('a call whose handler hangs', () => {
  let stage: Awaited<ReturnType<typeof httpStage>>;
  let url: string;
  const hangs = Promise.withResolvers<never>();
  const released: string[] = [];

  beforeAll(async () => {
    const hang = () => hangs.promise;
    stage = await httpStage({
      history: [registered(acme), registered(ada), jobPosted, groupCreated],
      handle: hang,
      queries: { listGroups: hang, companyOfUser: async () => acme.userId } as never,
      logIn: hang,
      idempotencyKeys: {
        claim: async () => ({ outcome: 'claimed' as const }),
        keep: hang,
        release: async ({ key }) => void released.push(key),
      },
    });
    await stage.app.listen({ host: '127.0.0.1', port: 0 });
    url = `http://127.0.0.1:${(stage.app.server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    hangs.reject(new Error('too late'));
    await stage.close();
  });

  async function call(
    path: string,
    { deadlineMs = DEADLINE_MS, ...init }: RequestInit & { deadlineMs?: number } = {},
  ) {
    const response = await fetch(url + path, {
      ...init,
      headers: {
        authorization: `Bearer ${JSON.stringify(acme)}`,
        ...(init.body !== undefined && { 'content-type': 'application/json' }),
        ...init.headers,
      },
      signal: AbortSignal.timeout(deadlineMs),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  test('is answered with a retryable 503', async () => {
    const answers = await Promise.all([
      call('/v1/groups'),
      call('/v1/jobs', {
        method: 'POST',
        body: JSON.stringify({ title: 'Baker', description: 'Bread' }),
        headers: { 'idempotency-key': 'held' },
      }),
      call(`/v1/groups/${groupId}/messages`, {
        method: 'POST',
        body: JSON.stringify({ clientMsgId, text: 'Hello' }),
      }),
      call('/v1/auth/login', {
        method: 'POST',
        body: JSON.stringify({ email: 'ada@example.org', password: 'a long password' }),
        deadlineMs: LOG_IN_DEADLINE_MS,
      }),
    ]);
    for (const answer of answers) {
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(answer.headers.get('x-request-id')).not.toBeNull();
      expect(answer.body).toMatchObject({ status: 503, code: 'UNAVAILABLE', retryable: true });
    }
    await until(() => released.includes('held'), 'the idempotency key is given back');
    expect(stage.refused.filter((code) => code === 'UNAVAILABLE')).toHaveLength(answers.length);
  });

  test('has its full time from the arrival of its body', async () => {
    const body = JSON.stringify({ clientMsgId, text: 'Slow' });
    const socket = createConnection({ port: Number(new URL(url).port), host: '127.0.0.1' });
    const answer = text(socket);
    const bearer = JSON.stringify(acme);
    socket.write(
      `POST /v1/groups/${groupId}/messages HTTP/1.1\r\nHost: chat\r\nConnection: close\r\n` +
        `Authorization: Bearer ${bearer}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    const other = call('/v1/groups');
    // The other call has timed out; this one has sent only its head.
    expect((await other).status).toBe(503);
    socket.write(body);
    expect(await answer).toMatch(/^HTTP\/1.1 503 /);
  });
});

test('a connection that is silent while an answer is made lasts until it is there', async () => {
  const app = Fastify({ connectionTimeout: 50 });
  answerInTime(app, () => {});
  const slow = () => new Promise((answer) => setTimeout(() => answer({ done: true }), 250));
  app.get('/slow', { config: { answerMs: 10_000 } }, slow);
  app.get('/usual', slow);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  try {
    expect(await (await fetch(`${url}/slow`)).json()).toEqual({ done: true });
    // Others are still cut.
    await expect(fetch(`${url}/usual`)).rejects.toThrow();
    expect(await (await fetch(`${url}/slow`)).json()).toEqual({ done: true });
  } finally {
    await app.close();
  }
});
