import { noAnswer } from './problem.ts';

/** Resolves after some milliseconds; at once when the signal aborts. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener('abort', end);
  });
}

/** Resolves as `work` does. Rejects with `NO_ANSWER` when it takes longer than some milliseconds. */
export function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(noAnswer(`Nothing came within ${milliseconds} ms`)), milliseconds);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

const FIRST_MS = 500;
const LONGEST_MS = 5_000;

/** Returns a time to wait before the next try: twice as long after each, and never the same for many clients. */
export const backOff = (tries: number): number =>
  Math.min(LONGEST_MS, FIRST_MS * 2 ** tries) * (0.5 + Math.random() / 2);

export interface Retry {
  /** Does it again later, if the problem may pass by waiting. */
  after: (problem: { retryable: boolean; retryAfterMs: number | undefined }, again: () => unknown) => void;
  /** Forgets what was to be done again, and how often it failed. */
  reset: () => void;
}

/** Repeats something that is wanted for as long as nobody says otherwise. */
export function createRetry(): Retry {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let tries = 0;
  return {
    after({ retryable, retryAfterMs }, again) {
      clearTimeout(timer);
      if (!retryable) return;
      timer = setTimeout(again, retryAfterMs ?? backOff(tries));
      // A process that has closed its client ends, though it still listens to something.
      (timer as { unref?: () => void }).unref?.();
      tries += 1;
    },
    reset() {
      clearTimeout(timer);
      tries = 0;
    },
  };
}

/** Runs `work` while nobody else of this browser, or of this process, holds the lock of that name. */
export type Lock = <T>(name: string, work: () => Promise<T>) => Promise<T>;

const queues = new Map<string, Promise<unknown>>();

/** Web Locks reach all tabs of an origin. Without them, as on plain http, the lock reaches one page. */
export const lock: Lock = async (name, work) => {
  const locks = globalThis.navigator?.locks;
  if (locks) return locks.request(name, work) as ReturnType<typeof work>;
  const turn = (queues.get(name) ?? Promise.resolve()).then(work, work);
  const settled = turn.then(
    () => undefined,
    () => undefined,
  );
  queues.set(name, settled);
  void settled.then(() => {
    if (queues.get(name) === settled) queues.delete(name);
  });
  return turn;
};
