import { setTimeout as pause } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import {
  type Bucket,
  type Budget,
  PER_HOUR,
  type PerMinute,
  type Quota,
  RateLimited,
  type RateLimits,
  WINDOW_SECONDS,
  windowSecondsOf,
} from '../../protocol/rate-limits.ts';

/** Size of the counters of one bucket or budget: 25,000 to 70,000 counters. */
const MAX_BYTES = 16 * 1_048_576;

/**
 * Creates a cache of counters. A flood of new addresses evicts the oldest counters instead of filling the
 * memory. `bytes` is the size of a counter without its key. With a limit on the number of entries, the cache
 * would allocate all of them at once.
 */
const boundedKeys = <V extends {}>(bytes: number, onForgotten?: (key: string) => void) =>
  new LRUCache<string, V>({
    maxSize: MAX_BYTES,
    sizeCalculation: (_, key) => bytes + key.length,
    disposeAfter: (_, key, reason) => {
      if (reason === 'evict') onForgotten?.(key);
    },
  });

/** The counters of one bucket. It goes on counting past the limit, and then rejects with its result. */
export interface Counters {
  consume(key: string): Promise<RateLimiterRes>;
  get(key: string): Promise<RateLimiterRes | null>;
}

/** Creates rate limits over any counters. Both methods also reject with the errors of the counters. */
export function rateLimitsOver(
  limits: PerMinute,
  countersOf: (bucket: Bucket, limit: number) => Counters,
): Omit<RateLimits, 'spend'> {
  const bucket = (name: Bucket, limit: number) => ({ limit, counters: countersOf(name, limit) });
  const buckets = {
    messages: bucket('messages', limits.messagesPerMinute),
    uploads: bucket('uploads', limits.uploadsPerMinute),
    'failed-logins': bucket('failed-logins', limits.failedLoginsPerMinute),
    logins: bucket('logins', limits.loginsPerMinute),
    'verification-letters': bucket('verification-letters', PER_HOUR['verification-letters']),
    'address-changes': bucket('address-changes', PER_HOUR['address-changes']),
    invitations: bucket('invitations', PER_HOUR.invitations),
    'invitation-letters': bucket('invitation-letters', PER_HOUR['invitation-letters']),
  };
  return {
    async consume(name, key) {
      const { counters, limit } = buckets[name];
      const result = await counters.consume(key).catch((refused: unknown) => {
        if (refused instanceof Error) throw refused;
        return refused as RateLimiterRes;
      });
      const quota = quotaOf(name, limit, result);
      if (result.consumedPoints > limit) throw new RateLimited(quota);
      return quota;
    },
    async check(name, key) {
      const { counters, limit } = buckets[name];
      const quota = quotaOf(name, limit, await counters.get(key));
      if (quota.remaining === 0) throw new RateLimited(quota);
      return quota;
    },
  };
}

function quotaOf(bucket: Bucket, limit: number, result: RateLimiterRes | null): Quota {
  const isRunning = result !== null && result.msBeforeNext > 0;
  return {
    bucket,
    limit,
    windowSeconds: windowSecondsOf(bucket),
    remaining: isRunning ? Math.max(0, limit - result.consumedPoints) : limit,
    resetMs: isRunning ? result.msBeforeNext : windowSecondsOf(bucket) * 1000,
  };
}

/** Adds points to the count of all nodes. Resolves with the sum, and with the rest of the window in milliseconds. */
type Share = (budget: Budget, key: string, points: number) => Promise<{ spent: number; endsInMs: number }>;

interface Window {
  readonly budget: Budget;
  readonly key: string;
  spent: number;
  /** The part of `spent` that has not been added to the count of all nodes. */
  unshared: number;
  /**
   * The time at which all spent points are paid for at the pace; like `endsAt` on the clock of
   * `performance.now()`.
   */
  paidAt: number;
  endsAt: number;
}

const SHARE_EVERY_MS = 50;
const WINDOW_BYTES = 208;
/** The budget of a window is served within half of it. */
const PACE_MS = (WINDOW_SECONDS * 1_000) / 2;
/** The part of that time that may be used at once. */
const BURST_MS = 1_500;
/** Calls must be answered in time, so callers that ask for more at once are limited by the budget alone. */
const LONGEST_DELAY_MS = 2_000;

/**
 * Counts points in this process, without a turn of the event loop. With `share`, points spent here are added
 * to those spent elsewhere 50 ms later; while that fails, this process counts alone. The pace applies to this
 * process only.
 */
export function createRequestBudgets(limits: PerMinute, share?: Share): RateLimits['spend'] {
  const budgets = {
    requests: { limit: limits.requestsPerMinute, windows: boundedKeys<Window>(WINDOW_BYTES) },
    clients: { limit: limits.clientRequestsPerMinute, windows: boundedKeys<Window>(WINDOW_BYTES) },
    anonymous: { limit: limits.anonymousRequestsPerMinute, windows: boundedKeys<Window>(WINDOW_BYTES) },
  };
  let unshared = new Set<Window>();

  async function shareAll(add: Share): Promise<void> {
    while (unshared.size > 0) {
      await pause(SHARE_EVERY_MS, undefined, { ref: false });
      const windows = [...unshared];
      unshared = new Set();
      await Promise.all(windows.map((window) => shareWindow(window, add)));
    }
  }

  async function shareWindow(window: Window, add: Share): Promise<void> {
    const points = window.unshared;
    window.unshared = 0;
    try {
      const { spent, endsInMs } = await add(window.budget, window.key, points);
      window.spent = spent + window.unshared;
      window.endsAt = performance.now() + endsInMs;
    } catch {
      // These points count here only.
    }
  }

  let isSharing = false;
  function shareSoon(window: Window, points: number, add: Share): void {
    window.unshared += points;
    unshared.add(window);
    if (isSharing) return;
    isSharing = true;
    void shareAll(add).finally(() => (isSharing = false));
  }

  return function spend(budget, key, points) {
    const { limit, windows } = budgets[budget];
    const now = performance.now();
    let window = windows.get(key);
    if (!window || window.endsAt <= now) {
      window = { budget, key, spent: 0, unshared: 0, paidAt: now, endsAt: now + WINDOW_SECONDS * 1_000 };
      windows.set(key, window);
    }
    const isRefused = window.spent + points > limit;
    if (!isRefused) {
      window.spent += points;
      window.paidAt = Math.max(window.paidAt, now) + (points / limit) * PACE_MS;
      if (share) shareSoon(window, points, share);
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

/** Size of a counter with its timer. */
const COUNTER_BYTES = 600;

/** Creates counters for this process alone. */
export function createMemoryRateLimits(limits: PerMinute): RateLimits {
  return {
    ...rateLimitsOver(limits, (bucket, limit) => boundedCounters(limit, windowSecondsOf(bucket))),
    spend: createRequestBudgets(limits),
  };
}

function boundedCounters(limit: number, windowSeconds: number): Counters {
  const limiter = new RateLimiterMemory({ points: limit, duration: windowSeconds, keyPrefix: '' });
  const keys = boundedKeys<true>(COUNTER_BYTES, (key) => void limiter.delete(key));
  return {
    consume(key) {
      keys.set(key, true);
      return limiter.consume(key);
    },
    get: (key) => limiter.get(key),
  };
}
