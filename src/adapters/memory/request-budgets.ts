import { setTimeout as pause } from 'node:timers/promises';
import {
  type Budget,
  type PerMinute,
  RateLimited,
  type RateLimits,
  WINDOW_SECONDS,
} from '../../protocol/rate-limits.ts';
import { boundedKeys } from './rate-limit-windows.ts';

/** Adds points to the count of all nodes. Resolves with the sum, and with the rest of the window in milliseconds. */
export type Tell = (
  budget: Budget,
  key: string,
  points: number,
) => Promise<{ spent: number; endsInMs: number }>;

interface Window {
  readonly budget: Budget;
  readonly key: string;
  spent: number;
  /** The part of `spent` that the other nodes have not been told. */
  untold: number;
  /**
   * The time at which all spent points are paid for at the pace; like `endsAt` on the clock of
   * `performance.now()`.
   */
  paidAt: number;
  endsAt: number;
}

const TELL_EVERY_MS = 50;
const WINDOW_BYTES = 208;
/** The budget of a window is served within half of it. */
const PACE_MS = (WINDOW_SECONDS * 1_000) / 2;
/** The part of that time that may be used at once. */
const BURST_MS = 1_500;
/** Calls must be answered in time, so callers that ask for more at once are limited by the budget alone. */
const LONGEST_DELAY_MS = 2_000;

/**
 * Counts points in this process, without a turn of the event loop. With `tell`, points spent here are added
 * to those spent elsewhere 50 ms later; while that fails, this process counts alone. The pace applies to this
 * process only.
 */
export function createRequestBudgets(limits: PerMinute, tell?: Tell): RateLimits['spend'] {
  const budgets = {
    requests: { limit: limits.requestsPerMinute, windows: boundedKeys<Window>(WINDOW_BYTES) },
    anonymous: { limit: limits.anonymousRequestsPerMinute, windows: boundedKeys<Window>(WINDOW_BYTES) },
  };
  let untold = new Set<Window>();

  async function tellOthers(others: Tell): Promise<void> {
    while (untold.size > 0) {
      await pause(TELL_EVERY_MS, undefined, { ref: false });
      const windows = [...untold];
      untold = new Set();
      await Promise.all(windows.map((window) => share(window, others)));
    }
  }

  async function share(window: Window, others: Tell): Promise<void> {
    const points = window.untold;
    window.untold = 0;
    try {
      const { spent, endsInMs } = await others(window.budget, window.key, points);
      window.spent = spent + window.untold;
      window.endsAt = performance.now() + endsInMs;
    } catch {
      // These points count here only.
    }
  }

  let isTelling = false;
  function toBeTold(window: Window, points: number, others: Tell): void {
    window.untold += points;
    untold.add(window);
    if (isTelling) return;
    isTelling = true;
    void tellOthers(others).finally(() => (isTelling = false));
  }

  return function spend(budget, key, points) {
    const { limit, windows } = budgets[budget];
    const now = performance.now();
    let window = windows.get(key);
    if (!window || window.endsAt <= now) {
      window = { budget, key, spent: 0, untold: 0, paidAt: now, endsAt: now + WINDOW_SECONDS * 1_000 };
      windows.set(key, window);
    }
    const isRefused = window.spent + points > limit;
    if (!isRefused) {
      window.spent += points;
      window.paidAt = Math.max(window.paidAt, now) + (points / limit) * PACE_MS;
      if (tell) toBeTold(window, points, tell);
    }
    const quota = {
      bucket: budget,
      limit,
      windowSeconds: WINDOW_SECONDS,
      remaining: Math.max(0, limit - window.spent),
      resetMs: window.endsAt - now,
    };
    if (isRefused) throw new RateLimited(quota);
    const delayMs = Math.min(Math.max(0, window.paidAt - now - BURST_MS), LONGEST_DELAY_MS);
    return { ...quota, delayMs };
  };
}
