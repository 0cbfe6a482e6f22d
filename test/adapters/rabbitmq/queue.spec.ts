import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import { type Queue, QueueUnavailable } from '../../../src/notifications/deliver/queue.ts';
import { createRabbitmqQueue } from '../../../src/adapters/rabbitmq/queue.ts';
import { inEachLane, queueContract, recorder } from '../../notifications/queue-contract.ts';
import { linesOf } from '../../support/log-lines.ts';
import { type Rabbitmq, startRabbitmq } from '../../../tools/rabbitmq.ts';
import { freePort } from '../../../tools/server-process.ts';
import { until } from '../../../tools/until.ts';

/** The time that a broker may take to start. */
const START_MS = 60_000;

const { log, lines } = linesOf('info');
let broker: Rabbitmq;
beforeAll(async () => {
  broker = await startRabbitmq();
}, START_MS);
afterAll(() => broker.stop());

const createQueue = () => createRabbitmqQueue({ url: broker.url, log });

/**
 * The name of a new queue reaches the disk half a second after its declaration. A RabbitMQ 3.10 that dies
 * sooner restarts with a queue that has lost its log, which these tests do not cover.
 */
async function crash(): Promise<void> {
  await broker.ctl('eval', 'dets:sync(ra_directory_reverse).');
  await broker.kill();
}

/** Whether the queue accepts a batch. Rejects with any error other than QueueUnavailable. */
async function isTaken(queue: Queue): Promise<boolean> {
  try {
    await queue.publish(randomUUID(), 'email');
    return true;
  } catch (error) {
    if (error instanceof QueueUnavailable) return false;
    throw error;
  }
}

describe('the queue on RabbitMQ', () => {
  queueContract(() => ({ createQueue, fail: crash, recover: () => broker.restart() }));

  test('refuses a message that no queue takes, and declares the queue for the next', async () => {
    const queue = await createQueue();
    await broker.ctl('delete_queue', 'notifications');
    await expect(queue.publish(randomUUID(), 'email')).rejects.toThrow(QueueUnavailable);
    await until(async () => isTaken(queue), 'publishing works again', 20_000);
    await queue.close();
  }, 60_000);

  describe('failures of RabbitMQ', () => {
    let queue: Queue;
    const worker = recorder();
    beforeAll(async () => {
      queue = await createQueue();
      await queue.consume({ ...worker, concurrency: inEachLane(4) });
    });
    afterAll(() => queue.close());
    const arrives = async () => {
      const batchId = randomUUID();
      await queue.publish(batchId, 'email');
      await until(() => worker.handled.includes(batchId));
    };

    test('a queue that an operator deletes is declared again, and its workers return to it', async () => {
      await broker.ctl('delete_queue', 'notifications');
      await until(async () => isTaken(queue), 'publishing works again', 20_000);
      await arrives();
    }, 60_000);

    test('messages published before lanes existed are handled', async () => {
      const batchId = randomUUID();
      const connection = await connect(broker.url);
      connection.on('error', () => undefined);
      const channel = await connection.createConfirmChannel();
      channel.sendToQueue('notifications', Buffer.from(batchId), { persistent: true });
      await channel.waitForConfirms();
      await connection.close();
      await until(() => worker.handled.includes(batchId));
    });

    test('a message that is not a batch is dropped', async () => {
      await arrives();
      const connection = await connect(broker.url);
      connection.on('error', () => undefined);
      const channel = await connection.createConfirmChannel();
      channel.sendToQueue('notifications', Buffer.from('not an id'));
      await channel.waitForConfirms();
      await connection.close();
      await until(() => lines().some(({ msg }) => msg === 'dropped a message that is not a batch'));
      await arrives();
      expect(worker.handled).not.toContain('not an id');
      expect(worker.dead).toEqual([]);
    });

    test(
      'connections that an operator closes are made again',
      async () => {
        await broker.ctl('close_all_connections', 'maintenance');
        await until(async () => isTaken(queue), 'publishing works again', 20_000);
        await until(() => queue.failure() === undefined);
        await arrives();
      },
      START_MS,
    );

    test(
      'a broker whose disk is full refuses with the reason, and recovers when there is room',
      async () => {
        await broker.ctl('set_disk_free_limit', '900GB');
        await until(async () => !(await isTaken(queue)), 'publishing is refused', 20_000);
        expect(queue.failure()).toContain('RabbitMQ takes no messages');
        await broker.ctl('set_disk_free_limit', '1MB');
        await until(() => queue.failure() === undefined, 'the queue is back', 20_000);
        await arrives();
      },
      START_MS,
    );
  });

  test(
    'a missing broker is reported at the start, and found once it is there',
    async () => {
      await crash();
      const queue = await createQueue();
      const worker = recorder();
      await queue.consume({ ...worker, concurrency: inEachLane(1) });
      expect(queue.failure()).toContain('ECONNREFUSED');
      await broker.restart();
      await until(() => queue.failure() === undefined, 'it is connected', 20_000);
      const batchId = randomUUID();
      await queue.publish(batchId, 'email');
      await until(() => worker.handled.includes(batchId));
      await queue.close();
    },
    START_MS,
  );

  test('a wrong password is reported without the password', async () => {
    const url = broker.url.replace('guest:guest', 'guest:wrong-secret');
    const queue = await createRabbitmqQueue({ url, log });
    expect(queue.failure()).toContain('ACCESS_REFUSED');
    await expect(queue.publish(randomUUID(), 'email')).rejects.toThrow(QueueUnavailable);
    await queue.close();
    expect(JSON.stringify(lines())).not.toContain('wrong-secret');
  });

  test('closing does not wait when no server listens', async () => {
    const url = `amqp://127.0.0.1:${await freePort()}`;
    // They would outlast the test if each waited for a connection or an answer.
    for (let times = 0; times < 50; times += 1) {
      const queue = await createRabbitmqQueue({ url, log });
      await queue.close();
    }
  });
});
