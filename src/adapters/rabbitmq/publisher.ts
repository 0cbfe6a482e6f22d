import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { type TraceContext, formatTraceparent } from '../../kit/trace-context.ts';
import { reasonOf } from '../../kit/reason.ts';
import { QUEUES, QUEUE_OF, type Queue, QueueUnavailable } from '../../notifications/deliver/queue.ts';
import { keepRabbitmqLink, onChannelBroken, type RabbitmqLink, type RabbitmqServer } from './link.ts';
import { declareTopology } from './topology.ts';

const PUBLISH_DEADLINE_MS = 5_000;
const MAX_UNCONFIRMED = 500;
const QUEUE_IS_GONE = 'the queue does not exist';

/** Publishes with confirms on a connection of its own. `publish` and `depths` fulfil the contract of the queue's port. */
export interface RabbitmqPublisher extends RabbitmqLink, Pick<Queue, 'publish' | 'depths'> {}

interface Unconfirmed {
  settle: (failure?: string) => void;
  isReturned: boolean;
}

/** One channel with confirms, from its opening to its end. */
interface OpenChannel {
  channel: ConfirmChannel;
  onBroken: (reason: string) => void;
  /** By number; a returned message carries it as its correlation id. */
  unconfirmed: Map<string, Unconfirmed>;
  /** True while the socket's buffer is full, until `drain`. */
  isFull: boolean;
}

export async function createRabbitmqPublisher(options: RabbitmqServer): Promise<RabbitmqPublisher> {
  let openChannel: OpenChannel | undefined;
  let published = 0;
  /** The callers that wait until something may be written. */
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const resume of waiting) resume();
    waiting.clear();
  };

  async function setUp(connection: ChannelModel, onBroken: (reason: string) => void): Promise<void> {
    const channel = await connection.createConfirmChannel();
    const opened: OpenChannel = { channel, onBroken, unconfirmed: new Map(), isFull: false };
    onChannelBroken(channel, onBroken);
    channel.on('drain', () => {
      opened.isFull = false;
      wake();
    });
    // Arrives before the confirm of the same message. The queue is gone; a new connection declares it again.
    channel.on('return', ({ properties }) => {
      const returned = opened.unconfirmed.get(String(properties.correlationId));
      if (returned) returned.isReturned = true;
      setImmediate(onBroken, QUEUE_IS_GONE);
    });
    await declareTopology(channel);
    openChannel = opened;
    wake();
  }

  function tearDown(reason: string): void {
    const lost = openChannel;
    openChannel = undefined;
    for (const { settle } of lost?.unconfirmed.values() ?? []) settle(reason);
    wake();
  }

  const link = await keepRabbitmqLink({ ...options, name: 'notifications publisher', setUp, tearDown });

  /** Writes at once. Resolves once the broker has the message on disk. */
  function write(
    current: OpenChannel,
    { queue, batchId, trace }: { queue: string; batchId: string; trace: TraceContext | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const key = String((published += 1));
    const settle = (failure?: string) => {
      current.unconfirmed.delete(key);
      signal.removeEventListener('abort', onDeadline);
      wake();
      if (failure === undefined) resolve();
      else reject(new QueueUnavailable(failure));
    };
    const onDeadline = () => {
      settle('RabbitMQ did not confirm the message within 5 s');
      // A connection without a confirm for that long is closed, unless the broker said why it waits.
      if (link.failure() === undefined) current.onBroken('a message was not confirmed');
    };
    signal.addEventListener('abort', onDeadline);
    const entry: Unconfirmed = { settle, isReturned: false };
    current.unconfirmed.set(key, entry);
    const properties = {
      ...{ mandatory: true, persistent: true, messageId: batchId, correlationId: key },
      ...(trace && { headers: { traceparent: formatTraceparent(trace) } }),
    };
    const onConfirm = (err: unknown) => {
      if (err) settle('RabbitMQ did not take the message');
      else settle(entry.isReturned ? QUEUE_IS_GONE : undefined);
    };
    try {
      current.isFull = !current.channel.publish('', queue, Buffer.from(batchId), properties, onConfirm);
    } catch (error) {
      settle(reasonOf(error));
    }
    return promise;
  }

  return {
    ...link,
    async depths() {
      const channel = openChannel?.channel;
      if (!channel) throw new QueueUnavailable(link.failure() ?? 'not connected');
      const found: Awaited<ReturnType<Queue['depths']>> = [];
      for (const queue of QUEUES)
        found.push({ queue, messages: (await channel.checkQueue(queue)).messageCount });
      return found;
    },
    async publish(batchId, lane, trace) {
      const deadline = new AbortController();
      const timer = setTimeout(() => {
        deadline.abort(new QueueUnavailable('RabbitMQ took no message within 5 s'));
        wake();
      }, PUBLISH_DEADLINE_MS);
      try {
        for (;;) {
          deadline.signal.throwIfAborted();
          const failure = link.failure();
          if (failure !== undefined || !openChannel) throw new QueueUnavailable(failure ?? 'not connected');
          if (!openChannel.isFull && openChannel.unconfirmed.size < MAX_UNCONFIRMED)
            return await write(openChannel, { queue: QUEUE_OF[lane], batchId, trace }, deadline.signal);
          await new Promise<void>((resume) => waiting.add(resume));
        }
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
