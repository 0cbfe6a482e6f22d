import { randomBytes, randomUUID } from 'node:crypto';
import type { createTracing } from '../../../src/adapters/opentelemetry/tracing.ts';
import { CommandRejected } from '../../../src/commands/rejection.ts';
import { traceIdOf } from '../../../src/kit/trace-context.ts';
import { inSpan } from '../../../src/kit/tracing.ts';
import { until } from '../../../tools/until.ts';
import { linesOf } from '../../support/log-lines.ts';
import {
  KIND,
  type TraceCollector,
  startTraceCollector,
  tracingTo,
} from '../../support/servers/trace-collector.ts';

type Options = Parameters<typeof createTracing>[0];

describe('tracing with OpenTelemetry', () => {
  let collector: TraceCollector;
  let dropped: number;
  const closing: (() => Promise<void>)[] = [];

  const open = (settings: Partial<Options['settings']> = {}, options: Partial<Options> = {}) => {
    const tracing = tracingTo(collector, {
      settings,
      onDropped: (count) => (dropped += count),
      delayMs: 1,
      ...options,
    });
    closing.push(() => tracing.close());
    return tracing;
  };
  const context = (isSampled = true) => ({
    traceId: randomBytes(16).toString('hex'),
    spanId: randomBytes(8).toString('hex'),
    isSampled,
  });
  const root = () => ({ begins: randomUUID(), attributes: {} });

  beforeEach(async () => {
    dropped = 0;
    collector = await startTraceCollector();
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await collector.close();
  });

  test('sends a span with its parent, links, kind, attributes and resource', async () => {
    const [parent, other] = [context(), context()];
    const tracing = open({ headers: { 'x-api-key': 'secret' } });
    const span = tracing.begin('append', {
      parent,
      links: [other],
      kind: 'client',
      attributes: { 'chat.events': 2 },
    })!;
    span.set({ 'chat.outcome': 'appended' });
    span.end();
    await tracing.close();
    expect(collector.requests[0]!.headers['x-api-key']).toBe('secret');
    expect(collector.spans).toEqual([
      {
        name: 'append',
        traceId: parent.traceId,
        spanId: span.context.spanId,
        parentSpanId: parent.spanId,
        kind: KIND.client,
        startTimeUnixNano: expect.stringMatching(/^\d+$/),
        endTimeUnixNano: expect.stringMatching(/^\d+$/),
        attributes: { 'chat.events': 2, 'chat.outcome': 'appended' },
        links: [{ traceId: other.traceId, spanId: other.spanId }],
        status: { code: 0 },
        resource: expect.objectContaining({
          'service.name': 'chat',
          'service.version': '1.2.3',
          'service.instance.id': 'node-1',
        }),
      },
    ]);
    expect(dropped).toBe(0);
  });

  test('gives a trace that begins the bytes of the correlation id', async () => {
    const tracing = open();
    const begins = randomUUID();
    tracing.begin('command', { begins, attributes: {} })!.end();
    await tracing.close();
    expect(collector.spans).toMatchObject([{ traceId: traceIdOf(begins) }]);
    expect(collector.spans[0]!.parentSpanId ?? '').toBe('');
  });

  test('begins nothing without a parent and without a correlation id', () => {
    expect(open().begin('push', { attributes: {} })).toBeUndefined();
  });

  test('records the code of an error, and not its message', async () => {
    const tracing = open();
    await expect(
      inSpan(tracing, 'command', root(), async () => {
        throw new CommandRejected('GROUP_CLOSED');
      }),
    ).rejects.toThrow(CommandRejected);
    await expect(
      inSpan(tracing, 'letter', root(), () => Promise.reject(new TypeError('ada@example.org is unknown'))),
    ).rejects.toThrow(TypeError);
    await tracing.close();
    expect(collector.spans).toMatchObject([
      { attributes: { 'error.type': 'GROUP_CLOSED' }, status: { code: 2 } },
      { attributes: { 'error.type': 'TypeError' }, status: { code: 2 } },
    ]);
    expect(collector.requests.map(({ body }) => body).join()).not.toContain('ada@');
  });

  test.each([
    ['parentbased_always_on', 1, { sampled: true, unsampled: false, root: true }],
    ['parentbased_always_off', 1, { sampled: true, unsampled: false, root: false }],
    ['parentbased_traceidratio', 0, { sampled: true, unsampled: false, root: false }],
    ['parentbased_traceidratio', 1, { sampled: true, unsampled: false, root: true }],
    ['traceidratio', 0, { sampled: false, unsampled: false, root: false }],
    ['always_on', 1, { sampled: true, unsampled: true, root: true }],
    ['always_off', 1, { sampled: false, unsampled: false, root: false }],
  ] as const)('samples by %s (%d)', (sampler, ratio, taken) => {
    const tracing = open({ sampler, ratio });
    const isTaken = (options: Parameters<typeof tracing.begin>[1]) =>
      tracing.begin('command', options) !== undefined;
    expect({
      sampled: isTaken({ parent: context(true), attributes: {} }),
      unsampled: isTaken({ parent: context(false), attributes: {} }),
      root: isTaken(root()),
    }).toEqual(taken);
  });

  test('counts the spans that are refused, says so once, and goes on', async () => {
    const lines = linesOf('info');
    collector.refuses();
    const tracing = open({}, { log: lines.log });
    for (let n = 1; n <= 3; n += 1) {
      tracing.begin('command', root())!.end();
      await until(() => dropped === n, 'the span to be dropped');
    }
    collector.takes();
    tracing.begin('command', root())!.end();
    await until(() => lines.lines().length === 2, 'a span to arrive');
    expect(collector.spans).toHaveLength(1);
    expect(dropped).toBe(3);
    expect(lines.lines().map(({ msg }) => msg)).toEqual([
      'spans cannot be sent; they are dropped and counted',
      'spans are sent again',
    ]);
  });

  test('counts the spans that find nobody at the endpoint', async () => {
    await collector.close();
    const tracing = open();
    for (let n = 0; n < 3; n += 1) tracing.begin('command', root())!.end();
    await until(() => dropped === 3, 'the spans to be dropped');
  });

  test('counts the spans beyond what may wait, and closes, while the endpoint says nothing', async () => {
    collector.saysNothing();
    const tracing = open({}, { mostWaiting: 4 });
    for (let n = 0; n < 10; n += 1) tracing.begin('command', root())!.end();
    expect(dropped).toBe(6);
    await tracing.close();
    expect(collector.spans).toEqual([]);
  });
});
