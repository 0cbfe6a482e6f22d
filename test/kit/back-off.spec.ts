import { backOffMs, jittered, keepRunning, sleep } from '../../src/kit/back-off.ts';

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

describe('keepRunning', () => {
  test('repeats work, and counts the failures since it last succeeded', async () => {
    const stopping = new AbortController();
    const failures: string[] = [];
    let runs = 0;
    await keepRunning(
      stopping.signal,
      async (succeeded) => {
        runs += 1;
        if (runs === 3) succeeded();
        if (runs === 5) return stopping.abort();
        throw new Error(`run ${runs}`);
      },
      (error, count) => {
        failures.push(`${error.message}: ${count}`);
        return 0;
      },
    );
    expect(failures).toEqual(['run 1: 1', 'run 2: 2', 'run 3: 1', 'run 4: 2']);
  });

  test('ends without a report when work fails because of the abort, and during a pause', async () => {
    const aborted = new AbortController();
    const unreported = () => {
      throw new Error('reported');
    };
    const fail = async () => {
      aborted.abort();
      throw new Error('aborted');
    };
    await keepRunning(aborted.signal, fail, unreported);

    const paused = new AbortController();
    await keepRunning(
      paused.signal,
      () => Promise.reject(new Error('failed')),
      () => {
        setImmediate(() => paused.abort());
        return 3_600_000;
      },
    );
  });
});
