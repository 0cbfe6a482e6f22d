import { setTimeout as pause } from 'node:timers/promises';

/** Resolves as soon as the condition holds; rejects after 5 s. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`never came true: ${condition.toString()}`);
    await pause(2);
  }
}
