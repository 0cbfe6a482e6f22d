import { hash } from 'node:crypto';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { RateLimited, type RateLimits } from '../auth/rate-limits.ts';
import { type Counters, type PerMinute, WINDOW_SECONDS, rateLimitsOver } from './rate-limit-windows.ts';
import type { RedisLinks } from './redis-links.ts';
import { ANSWER_MS, inTime, usable } from './redis-link.ts';

/**
 * Counters of all processes together. While Redis is out of reach `insurance` counts what comes to this process: whoever
 * spreads requests over n nodes has n times as much then. Within half a second either answers.
 */
export function createRedisRateLimits({
  redis: { commands },
  limits,
  insurance,
}: {
  redis: Pick<RedisLinks, 'commands'>;
  limits: PerMinute;
  insurance: RateLimits;
}): RateLimits {
  const shared = rateLimitsOver(limits, (bucket, limit): Counters => {
    const limiter = new RateLimiterRedis({
      storeClient: commands.client,
      points: limit,
      duration: WINDOW_SECONDS,
      keyPrefix: `chat:limit:${bucket}`,
    });
    return { consume: (key) => limiter.consume(nameless(key)), get: (key) => limiter.get(nameless(key)) };
  });

  const insured =
    (method: keyof RateLimits): RateLimits['consume'] =>
    async (bucket, key) => {
      try {
        usable(commands);
        return await inTime(shared[method](bucket, key), ANSWER_MS);
      } catch (error) {
        if (error instanceof RateLimited) throw error;
        return insurance[method](bucket, key);
      }
    };
  return { consume: insured('consume'), check: insured('check') };
}

/** Some keys hold an e-mail or network address, which Redis and who looks into it need not know. */
const nameless = (key: string) => hash('sha256', key, 'base64url');
