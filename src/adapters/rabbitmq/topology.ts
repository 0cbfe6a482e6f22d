import type { Channel } from 'amqplib';
import { DEAD_QUEUE, LANES, QUEUE_OF } from '../../notifications/deliver/queue.ts';

/** Number of redeliveries before a message is dead. */
export const REDELIVERIES = 5;

/**
 * Declares the queues, and an exchange to the dead queue under its name. They are quorum queues: a confirmed
 * message is on the disks of a majority. A message moves to the dead queue at least once: it leaves its queue
 * only when it is confirmed there, for which its queue must refuse surplus messages instead of dropping them
 * (https://www.rabbitmq.com/docs/quorum-queues#dead-lettering).
 */
export async function declareTopology(channel: Channel): Promise<void> {
  await channel.assertExchange(DEAD_QUEUE, 'fanout', { durable: true });
  await channel.assertQueue(DEAD_QUEUE, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.bindQueue(DEAD_QUEUE, DEAD_QUEUE, '');
  for (const lane of LANES)
    await channel.assertQueue(QUEUE_OF[lane], {
      durable: true,
      arguments: {
        'x-queue-type': 'quorum',
        'x-delivery-limit': REDELIVERIES,
        'x-dead-letter-exchange': DEAD_QUEUE,
        'x-dead-letter-strategy': 'at-least-once',
        'x-overflow': 'reject-publish',
      },
    });
}
