import { pino } from 'pino';
import type { Position, Recorded } from '../../src/events/event-store.ts';
import { createSubscriptions } from '../../src/adapters/event-log/subscriptions.ts';
import { range } from '../support/language/appends.ts';
import { until } from '../../tools/until.ts';

const log = pino({ level: 'silent' });
/** The n-th event, at position 100 n. */
const event = (n: number, text = '') => ({ position: n * 100, data: { text } }) as unknown as Recorded;
const events = (from: number, to: number, text?: string) =>
  range(to - from).map((n) => event(from + n, text));

/** A log of up to 10,000 events with the given text; records the reads. */
function stage(text = '') {
  const reads: Position[] = [];
  let length = 0;
  const subscriptions = createSubscriptions(
    {
      head: () => Promise.resolve(length * 100),
      async readAll({ after, limit }) {
        reads.push(after);
        const first = after / 100 + 1;
        return events(first, Math.min(first + limit, length + 1), text);
      },
    },
    log,
  );
  return {
    reads,
    subscribe: (signal: AbortSignal) => subscriptions.subscribe({ after: 0, limit: 500, signal }),
    /** Appends `count` events and hands them over as those after `after`. */
    handOver(count: number, after = length * 100) {
      subscriptions.handOver(events(length + 1, length + count + 1, text), after);
      length += count;
    },
    /** Hands the last events over again. */
    repeat: (count: number) =>
      subscriptions.handOver(events(length - count + 1, length + 1), (length - count) * 100),
  };
}

describe('events handed over to subscriptions', () => {
  let done: AbortController;
  beforeEach(() => void (done = new AbortController()));
  afterEach(() => done.abort());

  test('reach a subscription at their beginning without a read, wherever the next position is', async () => {
    const { subscribe, handOver, reads } = stage();
    const batches = subscribe(done.signal)[Symbol.asyncIterator]();
    const first = batches.next();
    await until(() => reads.length === 1);
    handOver(3);
    expect((await first).value).toEqual(events(1, 4));
    handOver(2);
    expect((await batches.next()).value).toEqual(events(4, 6));
    expect(reads.slice(1).every((after) => after >= 300)).toBe(true);
  });

  test('are read by a subscription that misses earlier ones', async () => {
    const { subscribe, handOver, reads } = stage();
    const batches = subscribe(done.signal)[Symbol.asyncIterator]();
    const first = batches.next();
    await until(() => reads.length === 1);
    handOver(2, 50);
    expect((await first).value).toEqual(events(1, 3));
    expect(reads).toEqual([0, 0]);
  });

  test('are delivered once, even when handed over again', async () => {
    const { subscribe, handOver, repeat, reads } = stage();
    const batches = subscribe(done.signal)[Symbol.asyncIterator]();
    const first = batches.next();
    await until(() => reads.length === 1);
    handOver(3);
    repeat(2);
    handOver(2);
    expect((await first).value).toEqual(events(1, 6));
  });

  test('are limited to 4,096 for a slow subscription, which reads the rest', async () => {
    const { subscribe, handOver, reads } = stage();
    const batches = subscribe(done.signal)[Symbol.asyncIterator]();
    const first = batches.next();
    await until(() => reads.length === 1);
    for (const _ of range(10)) handOver(1_000);
    const seen = (await first).value as Recorded[];
    while (seen.length < 10_000) seen.push(...((await batches.next()).value as Recorded[]));
    expect(seen).toEqual(events(1, 10_001));
    expect(reads[1]).toBe(4_000 * 100);
  });

  test('are limited to 8 MiB for a slow subscription, and available again after it has taken those', async () => {
    const text = 'x'.repeat(4_000);
    const { subscribe, handOver, reads } = stage(text);
    const batches = subscribe(done.signal)[Symbol.asyncIterator]();
    const first = batches.next();
    await until(() => reads.length === 1);
    for (const _ of range(10)) handOver(200);
    const seen = (await first).value as Recorded[];
    while (seen.length < 2_000) seen.push(...((await batches.next()).value as Recorded[]));
    expect(seen).toEqual(events(1, 2_001, text));
    expect(reads[1]).toBe(800 * 100);
    const readBefore = reads.length;
    for (const _ of range(10)) {
      handOver(100);
      expect((await batches.next()).value).toHaveLength(100);
    }
    expect(reads).toHaveLength(readBefore);
  });
});
