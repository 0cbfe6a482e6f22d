import type { Cluster } from '../../../scripts/cluster/cluster.ts';
import type { Edge } from '../../../scripts/cluster/edges.ts';
import type { ClusterNode, Kind } from '../../../scripts/cluster/node.ts';
import { until } from '../../../tools/until.ts';

/** Something that goes wrong with a cluster. */
export interface Fault {
  name: string;
  /** Makes it happen; answers with what undoes it. */
  strike(cluster: Cluster): Promise<() => Promise<unknown>>;
  /** How long it lasts, in ms; else it is undone at once, while the others take over. */
  lasts?: number;
  /** Rejects when what has to be there is not, in time. */
  recovered?(cluster: Cluster): Promise<unknown>;
}

/** By the contract of the roles. */
const TAKEN_OVER_WITHIN_MS = 10_000;

/** Whether the last that a process has said of its lease is that it leads. */
function leads({ kind, isRunning, output }: ClusterNode): boolean {
  const said = output()
    .split('\n')
    .filter((line) => line.includes(`"lease":"${kind}"`));
  const last = said.findLast((line) => line.includes('leading"'));
  return isRunning && (last?.includes('"msg":"leading"') ?? false);
}

/** Of two for a moment, the one that has just begun is the last. Rejects when nobody leads within 10 s. */
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

/** Dies with its connections; a standby takes its place. */
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

/** The server dies and is started again at once; until it has recovered it is away. */
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

/** A way between two parts on which nothing passes; the second part of a pair is the node, by index, else all of them. */
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

/** Every way of a running cluster on which a fault is made. */
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
