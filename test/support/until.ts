import { setTimeout as pause } from 'node:timers/promises';

/** Resolves as soon as the condition holds; fails, saying `what` it waited for, when it does not within the time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what = condition.toString(),
  withinMs = 25_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(5);
  }
}
