import { randomUUID } from 'node:crypto';
import type { Recorded } from '../../src/events/event-store.ts';
import { type TraceContext, traceIdOf } from '../../src/kit/trace-context.ts';
import { noTracing } from '../../src/kit/tracing.ts';
import { tracedQueue } from '../../src/notifications/deliver/traced-queue.ts';
import type { Batch } from '../../src/notifications/notification.ts';
import { append, messageSent, newStream } from '../support/language/appends.ts';
import { createInMemoryEventStore } from '../support/language/in-memory-event-store.ts';
import { KIND, startTraceCollector, tracingTo } from '../support/servers/trace-collector.ts';

/** A queue that keeps what is published to it, over a log with messages that were appended in these spans. */
async function stage(...spanIds: (string | undefined)[]) {
  const collector = await startTraceCollector();
  const tracing = tracingTo(collector);
  const store = createInMemoryEventStore();
  const events: Recorded[] = [];
  for (const trace of spanIds) {
    const metadata = {
      actorId: null,
      correlationId: randomUUID(),
      causationId: null,
      ...(trace && { trace }),
    };
    const verdict = await store.append(append(newStream(), [messageSent('Hello')], { metadata }));
    if (verdict.outcome === 'appended') events.push(...verdict.events);
  }
  const published: { batchId: string; lane: string; trace: TraceContext | undefined }[] = [];
  const notifications = events.map(({ id }) => ({ eventId: id })) as Batch['notifications'];
  const deps = {
    queue: {
      publish: async (batchId: string, lane: string, trace?: TraceContext) =>
        void published.push({ batchId, lane, trace }),
    },
    outbox: { load: async () => ({ notifications }) as Batch },
    store,
    tracing,
  };
  return {
    ...{ deps, events, published, collector },
    async close() {
      await tracing.close();
      await collector.close();
    },
  };
}

describe('publishing a batch with traces on', () => {
  test('continues the trace of its first traced event, and links those of the others', async () => {
    const { deps, events, published, collector, close } = await stage(
      undefined,
      'a'.repeat(16),
      'b'.repeat(16),
    );
    const batchId = randomUUID();
    await tracedQueue(deps).publish(batchId, 'push-slow');
    await deps.tracing.close();
    const [traceId, linked] = events.slice(1).map(({ metadata }) => traceIdOf(metadata.correlationId));
    expect(collector.spans).toMatchObject([
      {
        name: 'queue',
        traceId,
        parentSpanId: 'a'.repeat(16),
        links: [{ traceId: linked, spanId: 'b'.repeat(16) }],
        kind: KIND.producer,
        attributes: {
          'messaging.destination.name': 'notifications.push-slow',
          'messaging.message.id': batchId,
        },
      },
    ]);
    const trace = { traceId, spanId: collector.spans[0]!.spanId, isSampled: true };
    expect(published).toEqual([{ batchId, lane: 'push-slow', trace }]);
    await close();
  });

  test('begins the trace of a letter about an account, which follows from no event', async () => {
    const { deps, published, collector, close } = await stage();
    const letter = { kind: 'password-reset' } as Batch['letter'];
    const outbox = { load: async () => ({ notifications: [], letter }) as unknown as Batch };
    const batchId = randomUUID();
    await tracedQueue({ ...deps, outbox }).publish(batchId, 'email');
    await deps.tracing.close();
    const traceId = traceIdOf(batchId);
    expect(collector.spans).toMatchObject([{ name: 'queue', traceId, kind: KIND.producer }]);
    expect(collector.spans[0]!.parentSpanId ?? '').toBe('');
    const trace = { traceId, spanId: collector.spans[0]!.spanId, isSampled: true };
    expect(published).toEqual([{ batchId, lane: 'email', trace }]);
    await close();
  });

  test('goes on without a span when no event is traced, or when they cannot be looked up', async () => {
    const { deps, published, collector, close } = await stage(undefined);
    await tracedQueue(deps).publish('untraced', 'email');
    const broken = { load: () => Promise.reject(new Error('out of reach')) };
    await tracedQueue({ ...deps, outbox: broken }).publish('unknown', 'email');
    await deps.tracing.close();
    expect(published).toEqual([
      { batchId: 'untraced', lane: 'email', trace: undefined },
      { batchId: 'unknown', lane: 'email', trace: undefined },
    ]);
    expect(collector.spans).toEqual([]);
    await close();
  });

  test('looks nothing up with traces off', async () => {
    const { deps, close } = await stage();
    expect(tracedQueue({ ...deps, tracing: noTracing })).toBe(deps.queue);
    await close();
  });
});
