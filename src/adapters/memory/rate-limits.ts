import { RateLimiterMemory } from 'rate-limiter-flexible';
import { type PerMinute, type RateLimits, windowSecondsOf } from '../../protocol/rate-limits.ts';
import { type Counters, boundedKeys, rateLimitsOver } from './rate-limit-windows.ts';
import { createRequestBudgets } from './request-budgets.ts';

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
