import { once } from 'node:events';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Checks } from '../http/readiness.ts';
import type { Closers } from '../kit/closers.ts';
import { newId } from '../kit/uuids.ts';
import { createMemoryRateLimits } from '../adapters/memory/rate-limits.ts';
import type { Metrics } from '../adapters/prometheus/metrics.ts';
import type { DatabaseParts } from './log.ts';

/**
 * Opens the communication between processes through Redis, whose modules are loaded only if it is configured.
 * Without Redis each process works alone.
 */
export async function openCluster(
  config: Config,
  log: Logger,
  open: Closers,
  metrics: Pick<Metrics, 'redisReconnected'>,
) {
  const counters = createMemoryRateLimits(config);
  if (config.redisUrl === undefined) return { cluster: undefined, rateLimits: counters, checks: {} };

  const [
    { openRedis },
    { createRedisLogWitness },
    { createRedisNodeBus },
    { createRedisOnlineRegistry },
    { createRedisRateLimits },
  ] = await Promise.all([
    import('../adapters/redis/links.ts'),
    import('../adapters/redis/log-witness.ts'),
    import('../adapters/redis/node-bus.ts'),
    import('../adapters/redis/online-registry.ts'),
    import('../adapters/redis/rate-limits.ts'),
  ]);
  const redis = openRedis({
    url: config.redisUrl,
    caFile: config.redisCaFile,
    log,
    onReconnect: metrics.redisReconnected,
  });
  open.add('redis', () => redis.close());
  const bus = createRedisNodeBus({ redis });
  open.add('node bus', () => bus.close());
  const registry = createRedisOnlineRegistry({ redis, nodeId: newId() });
  return {
    cluster: { redis, bus, registry, witness: createRedisLogWitness({ redis }) },
    rateLimits: createRedisRateLimits({ redis, limits: config, insurance: counters }),
    checks: { redis: () => redis.failure() ?? bus.failure() },
  };
}

export type Cluster = Awaited<ReturnType<typeof openCluster>>['cluster'];

/**
 * Returns a check that fails when this process shares its database with another one that serves clients
 * without Redis: each counts its own limits and knows only its own sockets. The process that started first
 * has the lease.
 */
export function watchForOthers(
  config: Config,
  log: Logger,
  open: Closers,
  { leases, isAlone }: Pick<DatabaseParts, 'leases' | 'isAlone'>,
): Checks {
  if (isAlone || config.redisUrl !== undefined || !config.roles.has('api')) return {};
  log.warn(
    'REDIS_URL is not set; limits and presence cover this process only. Set it before a second process serves clients',
  );
  const only = leases.lead('api without redis', async (signal) => {
    if (!signal.aborted) await once(signal, 'abort');
  });
  open.add('api without redis', () => only.stop());
  return {
    limits: () =>
      only.isLeader()
        ? undefined
        : 'another process serves clients without Redis, and each counts its own limits: set REDIS_URL for all of them',
  };
}
