import { hash } from 'node:crypto';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import {
  type Bucket,
  type Budget,
  type PerMinute,
  RateLimited,
  type RateLimits,
  WINDOW_SECONDS,
  windowSecondsOf,
} from '../../protocol/rate-limits.ts';
import { type Counters, createRequestBudgets, rateLimitsOver } from '../memory/rate-limits.ts';
import type { RedisLinks } from './links.ts';
import { ANSWER_MS, inTime, usable } from './link.ts';

/**
 * Creates counters shared by all processes. While Redis is out of reach, `insurance` counts the requests of
 * this process: a client that spreads requests over n nodes then has n times as much. Either answers within
 * half a second.
 */
export function createRedisRateLimits({
  redis: { commands },
  limits,
  insurance,
}: {
  redis: Pick<RedisLinks, 'commands'>;
  limits: PerMinute;
  insurance: Pick<RateLimits, 'consume' | 'check'>;
}): RateLimits {
  const limiterOf = (name: Bucket | Budget, points: number, windowSeconds = WINDOW_SECONDS) =>
    new RateLimiterRedis({
      storeClient: commands.client,
      points,
      duration: windowSeconds,
      keyPrefix: `chat:limit:${name}`,
    });
  const shared = rateLimitsOver(limits, (bucket, limit): Counters => {
    const limiter = limiterOf(bucket, limit, windowSecondsOf(bucket));
    return { consume: (key) => limiter.consume(nameless(key)), get: (key) => limiter.get(nameless(key)) };
  });
  const budgets = {
    requests: limiterOf('requests', limits.requestsPerMinute),
    clients: limiterOf('clients', limits.clientRequestsPerMinute),
    anonymous: limiterOf('anonymous', limits.anonymousRequestsPerMinute),
  };

  const insured =
    (method: 'consume' | 'check'): RateLimits['consume'] =>
    async (bucket, key) => {
      try {
        usable(commands);
        return await inTime(shared[method](bucket, key), ANSWER_MS);
      } catch (error) {
        if (error instanceof RateLimited) throw error;
        return insurance[method](bucket, key);
      }
    };
  return {
    consume: insured('consume'),
    check: insured('check'),
    spend: createRequestBudgets(limits, async (budget, key, points) => {
      usable(commands);
      const counted = await inTime(budgets[budget].penalty(nameless(key), points), ANSWER_MS);
      return { spent: counted.consumedPoints, endsInMs: counted.msBeforeNext };
    }),
  };
}

/** Hashes a key. Some keys contain an e-mail or network address, which Redis and its users need not know. */
const nameless = (key: string) => hash('sha256', key, 'base64url');
