import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { z } from 'zod';
import { backOffMs, sleep } from '../../kit/back-off.ts';
import { parseTraceparent } from '../../kit/trace-context.ts';
import { type Consumer, DEAD_QUEUE, LANES, QUEUE_OF, type Queue } from '../../notifications/deliver/queue.ts';
import { keepRabbitmqLink, onChannelBroken, type RabbitmqServer } from './link.ts';
import { declareTopology } from './topology.ts';

const BACK_OFF_MS = { first: 200, most: 30_000 };

const BatchId = z.uuid();
const Redelivered = z.object({ 'x-delivery-count': z.int().nonnegative() });
const Traced = z.object({ traceparent: z.string() });
const DeadLettered = z.object({ 'x-death': z.array(z.object({ reason: z.string() })).nonempty() });

const traceIn = (headers: unknown) => parseTraceparent(Traced.safeParse(headers).data?.traceparent);

/** A consumer that reconnects after every interruption, and reports why it gets nothing. */
export interface RabbitmqConsumer extends Consumer {
  failure(): string | undefined;
}

/**
 * Consumes all queues on a connection of its own, so that a broker that takes no messages still takes
 * acknowledgements. A failed message is given back after 0.2 s, doubling with each failure, and keeps its
 * place meanwhile: a fault that concerns all messages slows them all down.
 */
export async function createRabbitmqConsumer(
  handlers: Parameters<Queue['consume']>[0],
  server: RabbitmqServer,
): Promise<RabbitmqConsumer> {
  const { log } = server;
  const { handle, onDead, concurrency } = handlers;
  const stopping = new AbortController();
  const inHand = new Set<Promise<void>>();
  let cancel = async (): Promise<void> => undefined;

  const rest = (failures: number) => sleep(backOffMs(BACK_OFF_MS, failures), stopping.signal);

  async function handleOnce(batchId: string, { properties }: ConsumeMessage): Promise<boolean> {
    try {
      await handle(batchId, traceIn(properties.headers));
      return true;
    } catch (err) {
      const redelivered = Redelivered.safeParse(properties.headers);
      const redeliveries = redelivered.success ? redelivered.data['x-delivery-count'] : 0;
      log.warn({ err, batchId, redeliveries }, 'could not handle a batch; it is delivered again');
      await rest(redeliveries + 1);
      return false;
    }
  }

  /** Retries here until it succeeds: the broker might drop a dead message that is given back. */
  async function handleDead(batchId: string, { properties }: ConsumeMessage): Promise<boolean> {
    const died = DeadLettered.safeParse(properties.headers);
    const reason = (died.success ? died.data['x-death'][0]?.reason : undefined) ?? 'unknown';
    for (let failures = 0; !stopping.signal.aborted; failures += 1) {
      try {
        await onDead(batchId, `given up by RabbitMQ: ${reason}`);
        return true;
      } catch (err) {
        log.warn({ err, batchId }, 'could not park a dead batch; retrying');
        await rest(failures + 1);
      }
    }
    return false;
  }

  /** Settles a message on the channel of its delivery, the only one where its tag is valid. */
  async function take(channel: Channel, message: ConsumeMessage, work: typeof handleOnce): Promise<void> {
    const batchId = BatchId.safeParse(message.content.toString());
    if (!batchId.success)
      log.warn({ bytes: message.content.length }, 'dropped a message that is not a batch');
    const isDone = batchId.success ? await work(batchId.data, message) : true;
    try {
      if (isDone) channel.ack(message);
      else channel.nack(message, false, true);
    } catch {
      log.info('the channel of a message has closed; the message is delivered again');
    }
  }

  async function setUp(connection: ChannelModel, onBroken: (reason: string) => void): Promise<void> {
    const channel = await connection.createChannel();
    onChannelBroken(channel, onBroken);
    await declareTopology(channel);
    const follow = async (queue: string, prefetch: number, work: typeof handleOnce) => {
      // Applies to each of the consumers started after it.
      await channel.prefetch(prefetch);
      const { consumerTag } = await channel.consume(queue, (message) => {
        // The broker ended the consumer, because its queue was deleted.
        if (!message) return onBroken(`the queue ${queue} does not exist`);
        if (stopping.signal.aborted) return undefined;
        const taken = take(channel, message, work).finally(() => inHand.delete(taken));
        inHand.add(taken);
        return undefined;
      });
      return consumerTag;
    };
    const tags = [await follow(DEAD_QUEUE, 1, handleDead)];
    for (const lane of LANES) tags.push(await follow(QUEUE_OF[lane], concurrency[lane], handleOnce));
    cancel = async () => {
      for (const tag of tags) await channel.cancel(tag);
    };
  }

  const link = await keepRabbitmqLink({
    ...server,
    name: 'notifications consumer',
    setUp,
    tearDown: () => (cancel = async () => undefined),
  });
  return {
    failure: link.failure,
    async stop() {
      stopping.abort();
      await cancel().catch(() => undefined);
      await Promise.all(inHand);
      await link.close();
    },
  };
}
