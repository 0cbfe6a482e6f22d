import { sleep } from './back-off.ts';

const EVERY_MS = 50;

/** Resolves with true as soon as the condition holds; with false when it does not within `milliseconds`. */
export async function waitFor(
  condition: () => Promise<boolean>,
  milliseconds: number,
  everyMs = EVERY_MS,
): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() >= deadline) return false;
    await sleep(everyMs);
  }
}
