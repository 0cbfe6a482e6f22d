const TIMES = 3;
const LEAST_MS = 100;
const MOST_MS = 1_000;

/**
 * Returns how long work for a large audience rests after it took `workedMs`, in milliseconds: so that it has a quarter of
 * the time at most, and what follows it, such as sending the mails, is spread as well.
 */
export const restAfterMs = (workedMs: number): number =>
  Math.min(Math.max(TIMES * workedMs, LEAST_MS), MOST_MS);
