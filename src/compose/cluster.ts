import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Closers } from '../platform/closers.ts';
import { newId } from '../platform/ids.ts';
import { createMemoryRateLimits } from '../platform/memory-rate-limits.ts';

/** What the processes tell each other through Redis, whose parts are loaded only then; without it each is for itself. */
export async function openCluster(config: Config, log: Logger, open: Closers) {
  const counters = createMemoryRateLimits(config);
  if (config.redisUrl === undefined) return { cluster: undefined, rateLimits: counters, checks: {} };

  const [{ openRedis }, { createRedisCarrier }, { createRedisPresenceRegistry }, { createRedisRateLimits }] =
    await Promise.all([
      import('../platform/redis-links.ts'),
      import('../platform/redis-carrier.ts'),
      import('../platform/redis-presence.ts'),
      import('../platform/redis-rate-limits.ts'),
    ]);
  const redis = openRedis({ url: config.redisUrl, log });
  open.add('redis', () => redis.close());
  const carrier = createRedisCarrier({ redis });
  open.add('carrier', () => carrier.close());
  const registry = createRedisPresenceRegistry({ redis, nodeId: newId() });
  return {
    cluster: { redis, carrier, registry },
    rateLimits: createRedisRateLimits({ redis, limits: config, insurance: counters }),
    checks: { redis: () => redis.failure() ?? carrier.failure() },
  };
}

export type Cluster = Awaited<ReturnType<typeof openCluster>>['cluster'];
