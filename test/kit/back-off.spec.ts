import { backOffMs, jittered, sleep } from '../../src/kit/back-off.ts';

describe('The back-off', () => {
  const backOff = { first: 100, most: 1_000 };

  test('doubles with each failure up to the maximum', () => {
    expect([0, 1, 2, 3, 4, 5, 2_000].map((failures) => backOffMs(backOff, failures))).toEqual([
      100, 100, 200, 400, 800, 1_000, 1_000,
    ]);
  });

  test('is jittered between half of the pause and all of it', () => {
    const pauses = Array.from({ length: 1_000 }, () => jittered(100));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(100);
    expect(new Set(pauses).size).toBeGreaterThan(900);
  });

  test('ends a sleep as soon as the signal aborts', async () => {
    const stopping = new AbortController();
    const slept = sleep(3_600_000, stopping.signal);
    stopping.abort();
    await slept;
  });
});
