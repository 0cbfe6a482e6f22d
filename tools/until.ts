import { setTimeout as pause } from 'node:timers/promises';

/**
 * Polling intervals at first, and once it takes longer: a condition that queries a server thousands of times
 * slows it down.
 */
const [OFTEN_MS, SELDOM_MS] = [5, 25];
const LONG_MS = 1_000;

/**
 * Resolves as soon as the condition holds. Rejects, naming `what` it waited for, when it does not hold within
 * the time.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what = condition.toString(),
  withinMs = 25_000,
): Promise<void> {
  const began = performance.now();
  while (!(await condition())) {
    const waited = performance.now() - began;
    if (waited > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(waited < LONG_MS ? OFTEN_MS : SELDOM_MS);
  }
}
