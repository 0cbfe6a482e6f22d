import { setTimeout as pause } from 'node:timers/promises';

/** The pauses between retries, in milliseconds: `first`, doubled with each failure in a row, at most `most`. */
export interface BackOff {
  first: number;
  most: number;
}

/** Returns how long to wait after `failures` failures in a row, in milliseconds; 1 is the first. */
export const backOffMs = ({ first, most }: BackOff, failures: number): number =>
  Math.min(first * 2 ** Math.max(failures - 1, 0), most);

/** Returns between half and all of `milliseconds`, so that parts that failed together do not retry together. */
export const jittered = (milliseconds: number): number => milliseconds * (0.5 + Math.random() / 2);

/** Resolves after `milliseconds`, or as soon as the signal aborts. With `ref: false` it does not keep the process running. */
export async function sleep(milliseconds: number, signal?: AbortSignal, { ref = true } = {}): Promise<void> {
  await pause(milliseconds, undefined, { ref, ...(signal && { signal }) }).catch(() => undefined);
}

/**
 * Runs `work` again and again until the signal aborts. After a failure it waits for the milliseconds that
 * `failed` returns. `failures` is the number of failures since `work` last called `succeeded`.
 */
export async function keepRunning(
  signal: AbortSignal,
  work: (succeeded: () => void) => Promise<void>,
  failed: (error: Error, failures: number) => number,
): Promise<void> {
  let failures = 0;
  const succeeded = () => {
    failures = 0;
  };
  while (!signal.aborted) {
    try {
      await work(succeeded);
    } catch (cause) {
      if (signal.aborted) return;
      failures += 1;
      await sleep(failed(cause instanceof Error ? cause : new Error(String(cause)), failures), signal);
    }
  }
}
