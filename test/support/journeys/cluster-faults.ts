import type { Cluster } from '../../../scripts/cluster/cluster.ts';
import type { Edge } from '../../../scripts/cluster/edges.ts';
import type { ClusterNode, Kind } from '../../../scripts/cluster/node.ts';
import { until } from '../../../tools/until.ts';

/** A fault of a cluster. */
export interface Fault {
  name: string;
  /** Causes the fault. Returns a function that undoes it. */
  strike(cluster: Cluster): Promise<() => Promise<unknown>>;
  /** The duration in ms. By default it is undone at once, while others take over. */
  lasts?: number;
  /** Rejects when the expected recovery does not happen in time. */
  recovered?(cluster: Cluster): Promise<unknown>;
}

/** The longest time for a takeover by the contract of the roles. */
const TAKEN_OVER_WITHIN_MS = 10_000;

/** Whether a process leads according to its latest output about its lease. */
function leads({ kind, isRunning, output }: ClusterNode): boolean {
  const said = output()
    .split('\n')
    .filter((line) => line.includes(`"lease":"${kind}"`));
  const last = said.findLast((line) => line.includes('leading"'));
  return isRunning && (last?.includes('"msg":"leading"') ?? false);
}

/**
 * Resolves with the leader; of two at a handover, with the newer one. Rejects when there is none within 10 s.
 */
async function leaderOf(cluster: Cluster, kind: Kind): Promise<ClusterNode> {
  let leader: ClusterNode | undefined;
  await until(
    () => {
      leader = cluster.of(kind).findLast(leads);
      return leader !== undefined;
    },
    `a ${kind} leads`,
    TAKEN_OVER_WITHIN_MS,
  );
  return leader!;
}

/** Kills the leader of a role, with its connections; a standby replaces it. */
export const killLeader = (kind: Kind): Fault => ({
  name: `kill -9 of the leading ${kind}`,
  async strike(cluster) {
    const leader = await leaderOf(cluster, kind);
    await leader.kill();
    return () => leader.restart();
  },
  recovered: (cluster) => leaderOf(cluster, kind),
});

export const killNode = (kind: Kind, index: number): Fault => ({
  name: `kill -9 of ${kind} ${index}`,
  async strike(cluster) {
    const node = cluster.of(kind)[index]!;
    await node.kill();
    return () => node.restart();
  },
});

/** Kills a store and restarts it at once; it is down until it has recovered. */
export const killStore = (name: 'postgres' | 'redis' | 'rabbitmq'): Fault => ({
  name: `kill -9 of ${name}`,
  async strike(cluster) {
    await cluster[name].kill();
    return () => cluster[name].restart();
  },
});

export const pauseRedis = (milliseconds: number): Fault => ({
  name: `CLIENT PAUSE of Redis for ${milliseconds / 1_000} s`,
  async strike({ redis }) {
    await redis.pause(milliseconds);
    return async () => {};
  },
  lasts: milliseconds,
});

export const flushRedis: Fault = {
  name: 'FLUSHALL of Redis',
  async strike({ redis }) {
    await redis.flush();
    return async () => {};
  },
};

/** An edge to block, and the index of its node; by default all nodes. */
export type Hole = readonly [edge: Edge, index?: number];

export const blackHoles = (milliseconds: number, ...holes: Hole[]): Fault => ({
  name: `black hole of ${milliseconds / 1_000} s on ${holes.map(([edge, index]) => `${edge}${index === undefined ? '' : ` ${index}`}`).join(', ')}`,
  async strike(cluster) {
    const proxies = holes.flatMap(([edge, index]) =>
      cluster.edge(edge).filter((_, at) => index === undefined || at === index),
    );
    for (const proxy of proxies) proxy.blackHole();
    return async () => {
      for (const proxy of proxies) proxy.heal();
    };
  },
  lasts: milliseconds,
});

/** Every edge of a running cluster that has faults. */
export const EDGES: readonly Edge[] = [
  'api->postgres',
  'projector->postgres',
  'realtime->postgres',
  'notifier->postgres',
  'worker->postgres',
  'api->redis',
  'realtime->redis',
  'notifier->redis',
  'notifier->rabbitmq',
  'worker->rabbitmq',
  'nginx->api',
];
