import type { EventStore } from '../../events/event-store.ts';
import { traceOf } from '../../kit/trace-context.ts';
import { type SpanOptions, type Tracing, inSpan } from '../../kit/tracing.ts';
import type { Outbox } from '../outbox.ts';
import { QUEUE_OF, type Queue } from './queue.ts';

interface TracedQueueDeps {
  queue: Pick<Queue, 'publish'>;
  outbox: Pick<Outbox, 'load'>;
  store: Pick<EventStore, 'find'>;
  tracing: Tracing;
}

/** Maximum number of events of a batch that are looked up. */
const LOOKED_UP = 32;

/**
 * Returns a queue whose messages carry the span in which they are published. Its parent is the span that appended the
 * first traced event of the batch; those of the others are linked. A letter about an account follows from no event, so
 * its trace begins here. The look-ups happen only where tracing is on.
 */
export function tracedQueue({ queue, outbox, store, tracing }: TracedQueueDeps): Pick<Queue, 'publish'> {
  if (!tracing.isOn) return queue;

  async function placeOf(batchId: string): Promise<Pick<SpanOptions, 'parent' | 'links' | 'begins'>> {
    const batch = await outbox.load(batchId);
    if (batch?.letter) return { begins: batchId };
    const ids = new Set(batch?.notifications.slice(0, LOOKED_UP).map(({ eventId }) => eventId));
    const events = await Promise.all([...ids].map((id) => store.find(id)));
    const [parent, ...links] = events.flatMap((event) => (event && traceOf(event.metadata)) ?? []);
    return { parent, links };
  }

  return {
    async publish(batchId, lane) {
      // A batch goes out whether or not its trace can be found.
      const place = await placeOf(batchId).catch(() => ({}));
      const attributes = {
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'send',
        'messaging.destination.name': QUEUE_OF[lane],
        'messaging.message.id': batchId,
      };
      await inSpan(tracing, 'queue', { ...place, kind: 'producer', attributes }, (span) =>
        queue.publish(batchId, lane, span?.context),
      );
    },
  };
}
