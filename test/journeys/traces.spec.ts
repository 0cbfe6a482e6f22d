import { randomBytes, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { type Socket, io } from 'socket.io-client';
import { type Session, call, signUp } from '../../tools/rest.ts';
import { type ServerProcess, freePort, startServer } from '../../tools/server-process.ts';
import { until } from '../../tools/until.ts';
import { asUuid } from '../../src/kit/trace-context.ts';
import { RESET, confirmAddress, lettersTo, linkIn } from '../support/journeys/account-letters.ts';
import { lettersTelling } from '../support/journeys/told.ts';
import { type MailServer, startMailServer } from '../support/servers/mail-server.ts';
import {
  type CollectedSpan,
  KIND,
  type TraceCollector,
  startTraceCollector,
} from '../support/servers/trace-collector.ts';
import { type TestDatabase, createTestDatabase } from '../support/stages/database.ts';

const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/);
const ID = expect.any(Number);

/** Two processes: one serves clients, the other one sends letters. Both send their spans to one collector. */
describe('a trace', () => {
  const caller = { spanId: randomBytes(8).toString('hex'), displayName: 'Acme Würzburg' };
  let database: TestDatabase;
  let mail: MailServer;
  let collector: TraceCollector;
  let server: ServerProcess;
  let worker: ServerProcess;
  let acme: Session;
  let ada: Session;
  let address: string;
  let groupId: string;
  let socket: Socket;

  const newTrace = () => randomBytes(16).toString('hex');
  const traceparent = (traceId: string, flags = '01') => `00-${traceId}-${caller.spanId}-${flags}`;
  const say = (text: string, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/v1/groups/${groupId}/messages`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${acme.accessToken}`,
        ...headers,
      },
      body: JSON.stringify({ clientMsgId: randomUUID(), text }),
    });
  const named = (traceId: string, name: string) =>
    collector.spansOf(traceId).filter((span) => span.name === name);
  const arrive = (traceId: string, ...names: string[]) =>
    until(
      () => names.every((name) => named(traceId, name).length > 0),
      `spans ${names.join()} of ${traceId}`,
    );
  const instanceOf = ({ resource }: CollectedSpan) => resource['service.instance.id'];

  beforeAll(async () => {
    [database, mail, collector] = await Promise.all([
      createTestDatabase(),
      startMailServer(),
      startTraceCollector(),
    ]);
    const port = await freePort();
    const env = {
      DATABASE_URL: database.ownerUrl,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-api-key=open%20sesame',
      OTEL_SERVICE_NAME: 'chat',
    };
    server = await startServer({ port, env: { ...env, ROLES: 'api,projector,realtime,notifier' } });
    worker = await startServer({
      env: { ...env, ROLES: 'worker', SMTP_URL: mail.url, PUBLIC_URL: server.url },
    });
    address = `ada-${randomUUID()}@example.org`;
    acme = await signUp(server.url, { role: 'company', displayName: caller.displayName });
    ada = await signUp(server.url, { role: 'applicant', displayName: 'Ada Lovelace', email: address });
    await confirmAddress(mail, address);
    const job = await call<{ jobId: string; groupId: string }>(server.url, 'POST', '/v1/jobs', {
      token: acme.accessToken,
      body: { title: 'Traveller', description: 'From process to process' },
    });
    ({ groupId } = job);
    await call(server.url, 'POST', `/v1/jobs/${job.jobId}/applications`, {
      token: ada.accessToken,
      body: {},
    });
    await call(server.url, 'PUT', '/v1/me/notification-preferences', {
      token: ada.accessToken,
      body: { digestMinutes: 0 },
    });
    const auth = { token: acme.accessToken };
    socket = io(server.url, { transports: ['websocket'], auth, reconnection: false });
    await until(() => socket.connected, 'the socket to open');
  }, 120_000);

  afterAll(async () => {
    socket?.close();
    await worker?.stop();
    await server?.stop();
    await collector?.close();
    await mail?.close();
    await database?.drop();
    for (const node of [server, worker]) if (node) await rm(node.dataDir, { recursive: true, force: true });
  });

  test('leads from a call to the letter about it, through six spans in two processes', async () => {
    const traceId = newTrace();
    const answer = await say('Meet me at the harbour', { traceparent: traceparent(traceId) });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('x-request-id')).toBe(asUuid(traceId));
    await until(
      () => lettersTelling(mail.mails, address, 'Meet me at the harbour').size === 1,
      'the letter to arrive',
    );
    await arrive(traceId, 'command', 'append', 'projection', 'push', 'queue', 'letter');

    const [command, append, push, queue, letter] = ['command', 'append', 'push', 'queue', 'letter'].map(
      (name) => {
        expect(named(traceId, name)).toHaveLength(1);
        return named(traceId, name)[0]!;
      },
    ) as [CollectedSpan, CollectedSpan, CollectedSpan, CollectedSpan, CollectedSpan];
    const event = {
      'chat.event.id': UUID,
      'chat.event.type': 'MessageSent',
      'chat.position': ID,
    };
    expect(command).toMatchObject({ parentSpanId: caller.spanId, kind: KIND.server });
    expect(command.attributes).toEqual({ 'chat.command': 'SendMessage' });
    expect(append).toMatchObject({ parentSpanId: command.spanId, kind: KIND.client });
    expect(append.attributes).toEqual({
      'chat.category': 'conversation',
      'chat.events': 1,
      'chat.outcome': 'appended',
      'chat.position': ID,
    });
    expect(push).toMatchObject({ parentSpanId: append.spanId, kind: KIND.internal });
    expect(push.attributes).toEqual({ 'chat.push': 'messageSent', ...event });
    expect(queue).toMatchObject({ parentSpanId: append.spanId, kind: KIND.producer });
    expect(queue.attributes).toEqual({
      'messaging.operation.name': 'publish',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'notifications',
      'messaging.message.id': UUID,
    });
    expect(letter).toMatchObject({ parentSpanId: queue.spanId, kind: KIND.consumer });
    expect(letter.attributes).toEqual({
      'messaging.operation.name': 'deliver',
      'messaging.operation.type': 'process',
      'messaging.message.id': queue.attributes['messaging.message.id'],
      'chat.channel': 'email',
    });
    const projections = named(traceId, 'projection');
    expect(new Set(projections.map(({ attributes }) => attributes['chat.projection'])).size).toBe(
      projections.length,
    );
    for (const { parentSpanId, kind, attributes } of projections) {
      expect({ parentSpanId, kind }).toEqual({ parentSpanId: append.spanId, kind: KIND.internal });
      expect(attributes).toEqual({ 'chat.projection': expect.any(String), ...event });
    }
    expect(projections.map(({ attributes }) => attributes['chat.projection'])).toContain('conversations');
    expect(instanceOf(letter)).not.toBe(instanceOf(command));
    for (const span of [append, push, queue, ...projections])
      expect(instanceOf(span)).toBe(instanceOf(command));
    for (const span of collector.spansOf(traceId)) {
      expect(span.resource['service.name']).toBe('chat');
      expect(span.status.code).toBe(0);
      expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));
    }
    expect(collector.requests[0]!.headers['x-api-key']).toBe('open sesame');
    expect(server.output()).toContain(`"trace_id":"${traceId}"`);
  });

  test('begins with an event of a socket that carries a traceparent', async () => {
    const traceId = newTrace();
    const message = { groupId, clientMsgId: randomUUID(), text: 'Over the socket' };
    const ack: unknown = await socket.emitWithAck('sendMessage', {
      ...message,
      traceparent: traceparent(traceId),
    });
    expect(ack).toMatchObject({ ok: true });
    await arrive(traceId, 'command', 'append', 'push');
    expect(named(traceId, 'command')).toMatchObject([{ parentSpanId: caller.spanId }]);
    const malformed: unknown = await socket.emitWithAck('sendMessage', {
      ...{ ...message, clientMsgId: randomUUID() },
      traceparent: 'no such thing',
    });
    expect(malformed).toMatchObject({ ok: true });
  });

  test('begins with the correlation id of a call without a traceparent', async () => {
    const answer = await say('Without a trace');
    const correlationId = answer.headers.get('x-request-id')!;
    const traceId = correlationId.replaceAll('-', '');
    await arrive(traceId, 'command', 'append');
    expect(named(traceId, 'command')[0]!.parentSpanId ?? '').toBe('');
    const proxied = randomBytes(16).toString('hex');
    const second = await say('Named by a proxy', { 'x-request-id': proxied });
    expect(second.headers.get('x-request-id')).toBe(asUuid(proxied));
    await arrive(proxied, 'command');
  });

  test('has the automations of an event below its append', async () => {
    const traceId = newTrace();
    await call(server.url, 'POST', '/v1/jobs', {
      token: acme.accessToken,
      headers: { traceparent: traceparent(traceId) },
      body: { title: 'Follower', description: 'What follows' },
    });
    await until(() => named(traceId, 'command').length === 2, 'the command that follows');
    const [first, second] = ['PostJob', 'CreateChatGroup'].map((name) =>
      named(traceId, 'command').find(({ attributes }) => attributes['chat.command'] === name)!,
    );
    const cause = named(traceId, 'append').find(({ parentSpanId }) => parentSpanId === first!.spanId);
    expect(second).toMatchObject({ parentSpanId: cause!.spanId, kind: KIND.internal });
  });

  test('of a letter about an account begins when it is published, and has the id of the letter', async () => {
    await call(server.url, 'POST', '/v1/auth/password-reset', { body: { email: address } });
    await linkIn(mail, address, RESET);
    const sent = lettersTo(mail, address).find((letter) => letter.mail.subject === RESET)!;
    const letterId = /^<([^@]+)@/.exec(sent.mail.messageId!)![1]!;
    const traceId = letterId.replaceAll('-', '');
    await arrive(traceId, 'queue', 'letter');
    const [queue, letter] = ['queue', 'letter'].map((name) => named(traceId, name)[0]!) as [
      CollectedSpan,
      CollectedSpan,
    ];
    expect(queue.attributes).toMatchObject({ 'messaging.message.id': letterId });
    expect(queue.parentSpanId ?? '').toBe('');
    expect(letter).toMatchObject({ parentSpanId: queue.spanId, status: { code: 0 } });
    expect(instanceOf(letter)).not.toBe(instanceOf(queue));
  });

  test('shows a refusal by its code', async () => {
    const traceId = newTrace();
    const headers = { traceparent: traceparent(traceId) };
    const path = `/v1/groups/${groupId}/messages/${randomUUID()}`;
    await expect(
      call(server.url, 'DELETE', path, { token: acme.accessToken, headers }),
    ).rejects.toMatchObject({ code: 'MESSAGE_NOT_FOUND' });
    await arrive(traceId, 'command');
    expect(named(traceId, 'command')).toMatchObject([
      { status: { code: 2 }, attributes: { 'error.type': 'MESSAGE_NOT_FOUND' } },
    ]);
  });

  test('that the caller does not sample leaves no span anywhere', async () => {
    const [unsampled, after] = [newTrace(), newTrace()];
    const answer = await say('Off the record', { traceparent: traceparent(unsampled, '00') });
    expect(answer.headers.get('x-request-id')).toBe(asUuid(unsampled));
    await until(
      () => lettersTelling(mail.mails, address, 'Off the record').size === 1,
      'the letter to arrive',
    );
    await say('On the record', { traceparent: traceparent(after) });
    await arrive(after, 'command', 'append', 'projection', 'push', 'queue', 'letter');
    expect(collector.spansOf(unsampled)).toEqual([]);
  });

  test('has nothing that people wrote, no addresses and no tokens', () => {
    const all = collector.requests.map(({ body }) => body).join('\n');
    const said = ['harbour', 'Over the socket', 'Traveller', 'Ada Lovelace', caller.displayName];
    for (const secret of [...said, address, acme.accessToken, acme.refreshToken, 'sesame'])
      expect(all).not.toContain(secret);
  });

  test('costs nothing but spans when the collector hangs, and the stop is in order', async () => {
    collector.saysNothing();
    const answer = await say('Into the void', { traceparent: traceparent(newTrace()) });
    expect(answer.status).toBe(201);
    await until(async () => {
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      return Number(/^chat_trace_spans_dropped_total (\d+)$/m.exec(metrics)?.[1]) > 0;
    }, 'spans to be counted as dropped');
    await say('Into the void again', { traceparent: traceparent(newTrace()) });
    expect(await worker.stop()).toMatchObject({ code: 0 });
    expect(await server.stop()).toMatchObject({ code: 0 });
    expect(server.output()).toMatch(/"msg":"stopped"\}\n$/);
  });
});
