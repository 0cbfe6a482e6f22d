import { LRUCache } from 'lru-cache';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { type PerMinute, type RateLimits, WINDOW_SECONDS } from '../auth/rate-limits.ts';
import { type Counters, MAX_KEYS, rateLimitsOver } from './rate-limit-windows.ts';
import { createRequestBudgets } from './request-budgets.ts';

/** Counters of this process alone. */
export function createMemoryRateLimits(limits: PerMinute): RateLimits {
  return {
    ...rateLimitsOver(limits, (_, limit) => boundedCounters(limit)),
    spend: createRequestBudgets(limits),
  };
}

function boundedCounters(limit: number): Counters {
  const limiter = new RateLimiterMemory({ points: limit, duration: WINDOW_SECONDS, keyPrefix: '' });
  const keys = new LRUCache<string, true>({
    max: MAX_KEYS,
    disposeAfter: (_, key, reason) => {
      if (reason === 'evict') void limiter.delete(key);
    },
  });
  return {
    consume(key) {
      keys.set(key, true);
      return limiter.consume(key);
    },
    get: (key) => limiter.get(key),
  };
}
