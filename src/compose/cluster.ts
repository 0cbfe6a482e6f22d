import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Closers } from '../platform/closers.ts';
import { newId } from '../platform/ids.ts';
import { createMemoryRateLimits } from '../platform/memory-rate-limits.ts';
import { createRedisCarrier } from '../platform/redis-carrier.ts';
import { createRedisPresenceRegistry } from '../platform/redis-presence.ts';
import { createRedisRateLimits } from '../platform/redis-rate-limits.ts';
import { openRedis } from '../platform/redis-links.ts';

/** What is counted, of one process without Redis, of all of them with it. */
function openRateLimits(config: Config, redis: ReturnType<typeof openRedis> | undefined) {
  const insurance = createMemoryRateLimits(config);
  return redis ? createRedisRateLimits({ redis, limits: config, insurance }) : insurance;
}

/** What the processes tell each other through Redis; without it each is for itself. */
export function openCluster(config: Config, log: Logger, open: Closers) {
  if (config.redisUrl === undefined)
    return { cluster: undefined, rateLimits: openRateLimits(config, undefined), checks: {} };

  const redis = openRedis({ url: config.redisUrl, log });
  open.add('redis', () => redis.close());
  const carrier = createRedisCarrier({ redis });
  open.add('carrier', () => carrier.close());
  const registry = createRedisPresenceRegistry({ redis, nodeId: newId() });
  open.add('presence registry', () => registry.close());
  return {
    cluster: { redis, carrier, registry },
    rateLimits: openRateLimits(config, redis),
    checks: { redis: () => redis.failure() ?? carrier.failure() },
  };
}

export type Cluster = ReturnType<typeof openCluster>['cluster'];
