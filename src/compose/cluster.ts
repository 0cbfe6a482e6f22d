import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Checks } from '../http/readiness.ts';
import type { Closers } from '../kit/closers.ts';
import { reusedFor } from '../kit/reuse.ts';
import { newId } from '../kit/uuids.ts';
import type { WhereaboutsSource } from '../notifications/decide/whereabouts.ts';
import { type Node, joinNodes } from '../adapters/postgres/nodes.ts';
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

/** Time for which the list of other processes is reused. */
const REUSED_MS = 500;

/**
 * Watches for processes that serve clients on the same database and do not share a Redis with this one: each counts
 * its own limits, and nobody knows who is connected to the others. While there is one, `whereabouts` tells nothing, so
 * that nobody is mailed what is on the screen already.
 */
export async function watchForOthers(
  config: Config,
  log: Logger,
  open: Closers,
  {
    background: pool,
    nodeId,
    isAlone,
    version,
  }: Pick<DatabaseParts, 'background' | 'nodeId' | 'isAlone'> & { version: string },
) {
  const hasRedis = config.redisUrl !== undefined;
  const servesClients = config.roles.has('api');
  const nodes = await joinNodes({ pool, log, nodeId, version, hasRedis, roles: [...config.roles] });
  open.add('nodes', () => nodes.leave());
  if (isAlone) return { checks: {}, guard: (source: WhereaboutsSource) => source };
  if (!hasRedis)
    log.warn(
      'REDIS_URL is not set; limits and presence cover this process only. Set it before a second process serves clients',
    );
  const stranger = reusedFor(REUSED_MS, async () =>
    (await nodes.others()).find(
      ({ roles, ...node }) => roles.includes('api') && !(hasRedis && node.hasRedis),
    ),
  );
  const told = ({ host, startedAt }: Node) =>
    `another process (on ${host}, since ${startedAt.toISOString()}) serves clients on this database`;
  const checks: Checks = {
    async limits() {
      const found = await stranger();
      return found && `${told(found)}, and each counts its own limits: set the same REDIS_URL for all`;
    },
  };
  return {
    checks: servesClients ? checks : {},
    guard: (source: WhereaboutsSource): WhereaboutsSource => ({
      async look(userIds) {
        const found = await stranger();
        if (found)
          throw new Error(
            `${told(found)} without sharing a Redis, so nobody knows who reads there: notifications wait`,
          );
        return source.look(userIds);
      },
    }),
  };
}
