const TIMES = 3;
const LEAST_MS = 100;
const MOST_MS = 1_000;

/**
 * Returns how long work for a large audience rests after it took `workedMs`, in milliseconds. The work then
 * has at most a quarter of the time, and what follows it, such as sending mails, is spread out as well.
 */
export const restAfterMs = (workedMs: number): number =>
  Math.min(Math.max(TIMES * workedMs, LEAST_MS), MOST_MS);
