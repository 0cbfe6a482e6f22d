import { randomUUID } from 'node:crypto';
import {
  type Consumer,
  QUEUES,
  type Queue,
  QueueUnavailable,
} from '../../src/notifications/deliver/queue.ts';
import type { TraceContext } from '../../src/kit/trace-context.ts';
import { until } from '../../tools/until.ts';

/** How often a batch is delivered at most: once, plus five retries. */
const DELIVERIES = 6;

/** The server behind the queue, which a test can stop and restart with everything that it had confirmed. */
export interface Server {
  createQueue(): Promise<Queue>;
  fail(): Promise<void>;
  recover(): Promise<void>;
}

/** The highest number of confirmed, unhandled batches while the server is up. */
const BACKLOG = 500;

/** A worker that records the batches it receives. */
export function recorder(work: (batchId: string) => Promise<void> = async () => undefined) {
  const handled: string[] = [];
  const dead: string[] = [];
  return {
    handled,
    dead,
    async handle(batchId: string) {
      handled.push(batchId);
      await work(batchId);
    },
    async onDead(batchId: string) {
      dead.push(batchId);
    },
  };
}

export const inEachLane = (count: number) => ({
  email: count,
  push: count,
  'email-slow': count,
  'push-slow': count,
});

/**
 * The contract of every implementation of the queue's port. `server` resolves with one server for all tests.
 */
export function queueContract(server: () => Server): void {
  let queue: Queue;
  const consumers: Consumer[] = [];
  const consume = async (handlers: Omit<Parameters<Queue['consume']>[0], 'concurrency'>, concurrency = 4) => {
    const consumer = await queue.consume({ ...handlers, concurrency: inEachLane(concurrency) });
    consumers.push(consumer);
    return consumer;
  };

  beforeAll(async () => {
    queue = await server().createQueue();
  });
  afterEach(async () => {
    for (const consumer of consumers.splice(0)) await consumer.stop();
  });
  afterAll(() => queue.close());

  test('delivers a published batch to a worker within a second, once', async () => {
    const worker = recorder();
    await consume(worker);
    const batchId = randomUUID();
    await queue.publish(batchId, 'email');
    await until(() => worker.handled.length > 0, 'the delivery of the batch', 1_000);
    const marker = randomUUID();
    await queue.publish(marker, 'email');
    await until(() => worker.handled.includes(marker));
    expect(worker.handled).toEqual([batchId, marker]);
    expect(queue.failure()).toBeUndefined();
  });

  test('carries the span that published a batch, if there is one', async () => {
    const traces = new Map<string, TraceContext | undefined>();
    await consume({
      ...recorder(),
      handle: async (batchId, trace) => void traces.set(batchId, trace),
    });
    const [traced, untraced] = [randomUUID(), randomUUID()];
    const trace = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), isSampled: true };
    await queue.publish(traced, 'email', trace);
    await queue.publish(untraced, 'push');
    await until(() => traces.size === 2, 'both batches to be delivered');
    expect(traces).toEqual(
      new Map([
        [traced, trace],
        [untraced, undefined],
      ]),
    );
  });

  test('tells how many batches wait in each queue', async () => {
    const depthOf = async (name: string) =>
      (await queue.depths()).find((depth) => depth.queue === name)?.messages;
    expect((await queue.depths()).map((depth) => depth.queue).toSorted()).toEqual(QUEUES.toSorted());
    const before = (await depthOf('notifications.push-slow'))!;
    for (let count = 0; count < 3; count += 1) await queue.publish(randomUUID(), 'push-slow');
    await until(async () => (await depthOf('notifications.push-slow')) === before + 3, 'they are counted');
    await consume(recorder());
    await until(async () => (await depthOf('notifications.push-slow')) === 0, 'none waits any more');
  }, 60_000);

  test('redelivers a batch whose handler throws until it is handled', async () => {
    let failures = 0;
    const worker = recorder(async () => {
      if ((failures += 1) <= 2) throw new Error('not now');
    });
    await consume(worker);
    const batchId = randomUUID();
    await queue.publish(batchId, 'email');
    await until(() => worker.handled.length === 3);
    expect(worker.dead).toEqual([]);
  });

  test('gives up a batch whose handler always throws after five retries, without delaying others', async () => {
    const poison = randomUUID();
    const worker = recorder(async (batchId) => {
      if (batchId === poison) throw new Error('never');
    });
    let refused = 0;
    await consume({
      ...worker,
      async onDead(batchId) {
        // A failure to report the dead batch is retried.
        if ((refused += 1) === 1) throw new Error('no room for it');
        await worker.onDead(batchId);
      },
    });
    await queue.publish(poison, 'email');
    const others = Array.from({ length: 5 }, () => randomUUID());
    for (const other of others) await queue.publish(other, 'email');
    await until(() => others.every((other) => worker.handled.includes(other)));
    expect(worker.dead).toEqual([]);
    await until(() => worker.dead.length > 0, 'the batch is given up', 25_000);
    expect(worker.dead).toEqual([poison]);
    expect(worker.handled.filter((batchId) => batchId === poison)).toHaveLength(DELIVERIES);
  }, 40_000);

  test('handles at most the given number of batches at once', async () => {
    let now = 0;
    let most = 0;
    const go = Promise.withResolvers<void>();
    const worker = recorder(async () => {
      most = Math.max(most, (now += 1));
      await go.promise;
      now -= 1;
    });
    await consume(worker, 3);
    for (let count = 0; count < 10; count += 1) await queue.publish(randomUUID(), 'email');
    await until(() => now === 3, 'three batches in work');
    go.resolve();
    await until(() => worker.handled.length === 10);
    expect(most).toBe(3);
  });

  test('serves other lanes while all workers of one are busy', async () => {
    const go = Promise.withResolvers<void>();
    const pushes = Array.from({ length: 4 }, () => randomUUID());
    const worker = recorder(async (batchId) => {
      if (new Set<string>(pushes).has(batchId)) await go.promise;
    });
    await consume(worker, 2);
    for (const push of pushes) await queue.publish(push, 'push');
    await until(() => worker.handled.length === 2, 'two pushes in work');
    for (const lane of ['email', 'email-slow', 'push-slow'] as const) {
      const batchId = randomUUID();
      await queue.publish(batchId, lane);
      await until(() => worker.handled.includes(batchId), `${lane} goes on`);
    }
    expect(worker.handled).toHaveLength(5);
    go.resolve();
    await until(() => pushes.every((push) => worker.handled.includes(push)));
  });

  test('lets a stopping worker finish its batches, and leaves the rest to the next', async () => {
    const go = Promise.withResolvers<void>();
    let finished = 0;
    const first = recorder(async () => {
      await go.promise;
      finished += 1;
    });
    const consumer = await consume(first, 1);
    const batchIds = [randomUUID(), randomUUID()];
    for (const batchId of batchIds) await queue.publish(batchId, 'email');
    await until(() => first.handled.length === 1);
    let isStopped = false;
    const stopped = consumer.stop().then(() => (isStopped = true));
    batchIds.push(randomUUID());
    await queue.publish(batchIds.at(-1)!, 'email');
    expect(isStopped).toBe(false);
    go.resolve();
    await stopped;
    expect(finished).toBe(1);
    expect(first.handled).toHaveLength(1);
    const second = recorder();
    await consume(second);
    const rest = batchIds.filter((batchId) => !first.handled.includes(batchId));
    await until(() => rest.every((batchId) => second.handled.includes(batchId)));
    expect(second.handled.toSorted()).toEqual(rest.toSorted());
  });

  test('refuses within 5 s, with a reason, while its server is down, and works afterwards', async () => {
    const worker = recorder();
    await consume(worker);
    const before = randomUUID();
    await queue.publish(before, 'email');
    await until(() => worker.handled.includes(before));
    await server().fail();
    await expect(queue.publish(randomUUID(), 'email')).rejects.toThrow(QueueUnavailable);
    await until(() => queue.failure() !== undefined);
    await server().recover();
    await until(() => queue.failure() === undefined, 'the queue is back', 30_000);
    const after = randomUUID();
    await queue.publish(after, 'email');
    await until(() => worker.handled.includes(after));
  }, 60_000);

  test('loses no confirmed batch when the server dies between publishing, confirming and handling', async () => {
    const worker = recorder(() => new Promise((resolve) => setTimeout(resolve, 20)));
    await consume(worker, 8);
    const confirmed: string[] = [];
    let isOver = false;
    let isDown = false;
    let refused = 0;
    const publisher = async () => {
      while (!isOver) {
        // Handling takes time: a larger backlog would outlast the test.
        await until(
          () => queue.failure() !== undefined || confirmed.length <= worker.handled.length + BACKLOG,
          'the backlog to be handled',
        );
        const batchId = randomUUID();
        try {
          await queue.publish(batchId, 'email');
          confirmed.push(batchId);
        } catch (error) {
          expect(error).toBeInstanceOf(QueueUnavailable);
          if (isDown) refused += 1;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    };
    const publishers = Array.from({ length: 10 }, publisher);
    await until(() => worker.handled.length > 50);
    isDown = true;
    await server().fail();
    await until(() => refused >= 10, 'publishing is refused');
    const confirmedBefore = confirmed.length;
    await server().recover();
    await until(() => confirmed.length > confirmedBefore + 50, 'publishing goes on', 30_000);
    isOver = true;
    await Promise.all(publishers);
    const missing = () => {
      const handled = new Set(worker.handled);
      return confirmed.filter((batchId) => !handled.has(batchId));
    };
    await until(() => missing().length === 0, 'all to be handled', 60_000).catch(() => undefined);
    expect(missing()).toEqual([]);
    expect(confirmed.length).toBeGreaterThan(100);
  }, 240_000);
}
