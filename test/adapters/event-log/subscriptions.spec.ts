import type { Position, Recorded } from '../../../src/events/event-store.ts';
import { PAGE, createPages } from '../../../src/adapters/event-log/subscriptions.ts';
import { range } from '../../support/language/appends.ts';

/** An endless log whose events have the given text; records what is read of it. */
function stage(text: string) {
  const reads: Position[] = [];
  const pageAfter = createPages({
    readAll({ after, limit }) {
      reads.push(after);
      const events = range(limit).map((n) => ({ position: after + n + 1, data: { text } }));
      return Promise.resolve(events as unknown as Recorded[]);
    },
  });
  return { reads, pageAfter };
}

const positions = (pages: number) => range(pages).map((nth) => nth * PAGE);

describe('pages of the log', () => {
  test('are read once for all concurrent and consecutive callers', async () => {
    const { reads, pageAfter } = stage('short');
    const [one, other] = await Promise.all([pageAfter(0), pageAfter(0)]);
    const later = await pageAfter(0);
    expect(reads).toEqual([0]);
    expect(other.events).toBe(one.events);
    expect(later.events).toBe(one.events);
    expect([one, other, later].map(({ isNew }) => isNew)).toEqual([true, false, false]);
  });

  test('are cached: the eight most recently used, or fewer that take more memory', async () => {
    for (const [text, kept] of [
      ['short', 8],
      ['x'.repeat(4_000), 1],
    ] as const) {
      const { reads, pageAfter } = stage(text);
      for (const position of positions(10)) await pageAfter(position);
      for (const position of positions(10).slice(-kept)) await pageAfter(position);
      expect(reads).toEqual(positions(10));
      await pageAfter(positions(10).at(-kept - 1)!);
      expect(reads).toHaveLength(11);
    }
  });

  test('are read again after a failure', async () => {
    let isDown = true;
    const pageAfter = createPages({
      readAll: () => (isDown ? Promise.reject(new Error('down')) : Promise.resolve([])),
    });
    await expect(pageAfter(0)).rejects.toThrow('down');
    isDown = false;
    expect(await pageAfter(0)).toEqual({ events: [], isNew: true });
  });
});
