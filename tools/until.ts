import { setTimeout as pause } from 'node:timers/promises';

/** At first, and once it takes longer: a condition that asks a server thousands of times keeps it from its work. */
const [OFTEN_MS, SELDOM_MS] = [5, 25];
const LONG_MS = 1_000;

/** Resolves as soon as the condition holds; fails, saying `what` it waited for, when it does not within the time. */
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
