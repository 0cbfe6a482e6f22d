import type { RabbitmqServer } from './link.ts';
import type { Queue } from '../../notifications/deliver/queue.ts';
import { createRabbitmqConsumer, type RabbitmqConsumer } from './consumer.ts';
import { createRabbitmqPublisher } from './publisher.ts';

/**
 * Creates the queue on RabbitMQ 3.10 or later. It starts without a broker: `failure` reports that, and
 * connecting is retried.
 */
export async function createRabbitmqQueue(options: RabbitmqServer): Promise<Queue> {
  const publisher = await createRabbitmqPublisher(options);
  const consumers = new Set<RabbitmqConsumer>();
  return {
    publish: publisher.publish,
    depths: publisher.depths,
    async consume(handlers) {
      const consumer = await createRabbitmqConsumer(handlers, options);
      consumers.add(consumer);
      return {
        async stop() {
          await consumer.stop();
          consumers.delete(consumer);
        },
      };
    },
    failure: () =>
      [publisher, ...consumers].map(({ failure }) => failure()).find((each) => each !== undefined),
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.stop()));
      await publisher.close();
    },
  };
}
