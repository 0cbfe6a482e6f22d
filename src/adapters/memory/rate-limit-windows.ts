import { LRUCache } from 'lru-cache';
import type { RateLimiterRes } from 'rate-limiter-flexible';
import {
  type Bucket,
  type PerMinute,
  type Quota,
  RateLimited,
  type RateLimits,
  PER_HOUR,
  windowSecondsOf,
} from '../../protocol/rate-limits.ts';

/** Size of the counters of one bucket or budget: 25,000 to 70,000 counters. */
const MAX_BYTES = 16 * 1_048_576;

/**
 * Creates a cache of counters. A flood of new addresses evicts the oldest counters instead of filling the
 * memory. `bytes` is the size of a counter without its key. With a limit on the number of entries, the cache
 * would allocate all of them at once.
 */
export const boundedKeys = <V extends {}>(bytes: number, onForgotten?: (key: string) => void) =>
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
