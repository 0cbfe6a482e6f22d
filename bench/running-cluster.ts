import { prepareDebianPrograms } from '../tools/debian-programs.ts';
import { type Cluster, type ClusterOptions, startCluster } from '../scripts/cluster/cluster.ts';
import type { Member } from './member.ts';
import { openLog } from './log.ts';
import { cpuMicrosOfTree } from './process-stats.ts';
import { BENCH_ENV, benchTokens, membersOf } from './running-server.ts';
import { type World, makeWorld } from './world.ts';

export interface FilledCluster {
  cluster: Cluster;
  /** Every member of every group, with a token. */
  members: Member[];
  /**
   * Returns the CPU time of each part so far, in microseconds: by role, and of the stores and the balancer.
   */
  cpu: () => Record<string, number>;
  stop: () => Promise<void>;
}

/**
 * Starts a cluster on new data without effective limits. It is ready once its read models have caught up with
 * the world.
 */
export async function startFilledCluster(
  size: Parameters<typeof makeWorld>[1],
  options: ClusterOptions,
): Promise<FilledCluster> {
  await prepareDebianPrograms();
  let world: World | undefined;
  const tokens = await benchTokens();
  const cluster = await startCluster({
    ...options,
    env: { ...BENCH_ENV, JWT_PRIVATE_KEY: tokens.pem, ...options.env },
    async prepare(databaseUrl) {
      const log = await openLog(databaseUrl);
      world = await makeWorld(log.store, size);
      await log.close();
    },
  });
  if (!world) throw new Error('the world was not created');
  return {
    cluster,
    members: await membersOf({ filled: world, tokenOf: tokens.of }),
    cpu() {
      const used: Record<string, number> = {};
      const add = (part: string, pid: number) => {
        used[part] = (used[part] ?? 0) + cpuMicrosOfTree(pid);
      };
      for (const { kind, pid } of cluster.nodes) add(kind, pid);
      add('PostgreSQL', cluster.postgres.pid);
      add('Redis', cluster.redis.pid);
      add('RabbitMQ', cluster.rabbitmq.pid);
      add('NGINX', cluster.nginx.pid);
      return used;
    },
    stop: () => cluster.stop(),
  };
}
