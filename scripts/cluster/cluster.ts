import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Logger, pino } from 'pino';
import { closers } from '../../src/kit/closers.ts';
import { type ProgramName, program } from '../../tools/debian-programs.ts';
import { type Rabbitmq, startRabbitmq } from '../../tools/rabbitmq.ts';
import { type Redis, startRedis } from '../../tools/redis.ts';
import { freePort, isReady, killProcesses } from '../../tools/server-process.ts';
import type { TcpProxy } from '../../tools/tcp-proxy.ts';
import { until } from '../../tools/until.ts';
import { type Edge, openEdges } from './edges.ts';
import { type Nginx, startNginx } from './nginx.ts';
import { type ClusterNode, type Kind, prepareNode } from './node.ts';
import { type Postgres, startPostgres } from './postgres.ts';

/** The default processes: a leader and a standby of each role, and two nodes for clients. */
export const SHAPE: Partial<Record<Kind, number>> = {
  api: 2,
  projector: 2,
  realtime: 2,
  notifier: 2,
  worker: 2,
  sealer: 2,
};

const PROGRAMS: readonly ProgramName[] = ['redis-server', 'rabbitmq-server', 'epmd', 'nginx'];
/** Parts that stop when this process exits. */
const EXIT_LISTENERS = 6;

/** The kinds that serve clients. */
const FACING: ReadonlySet<Kind> = new Set(['api', 'all']);

export interface ClusterOptions {
  /** The number of processes of each kind. Default: two of each role. */
  nodes?: Partial<Record<Kind, number>>;
  /** The port of the balancer. Default: a free one. */
  port?: number;
  /** The folder for database and files. Default: a folder that is removed at the end. */
  dataDir?: string;
  /** Variables for every node that override those of the cluster. */
  env?: Record<string, string>;
  /** Node options for every node. */
  nodeArgs?: readonly string[];
  /** The edges that lead through proxies, so that they can be cut. */
  edges?: readonly Edge[];
  /** Called with the owner's URL before the first node starts. */
  prepare?: (databaseUrl: string) => Promise<void>;
  /** Aborts a start in progress; a started cluster is stopped by its `stop`. */
  signal?: AbortSignal;
  /** Called with a line about each part as it starts. */
  say?: (line: string) => void;
  log?: Logger;
}

export interface Cluster {
  /** The balancer's URL, for clients. */
  url: string;
  /** The owner's URL, past all proxies. */
  databaseUrl: string;
  nodes: readonly ClusterNode[];
  /** Returns the nodes of one kind, by index. */
  of(kind: Kind): readonly ClusterNode[];
  postgres: Postgres;
  redis: Redis;
  rabbitmq: Rabbitmq;
  nginx: Nginx;
  /** Returns the proxies of an edge, one for each node at its start, or at its end for `nginx->api`. */
  edge(edge: Edge): readonly TcpProxy[];
  /** Resolves once every running node is ready. */
  ready(withinMs?: number): Promise<void>;
  /** Stops everything in order, and removes temporary data. */
  stop(): Promise<void>;
}

/**
 * Starts the whole program as many processes with all services, from programs of this machine, on loopback
 * ports. Resolves when all are ready. When one fails, stops the others and rejects with the reason.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { log = pino({ level: 'silent' }) } = options;
  // A missing program is reported before anything starts.
  for (const name of PROGRAMS) program(name);
  const open = closers(log);
  try {
    return await start(options, log, open);
  } catch (error) {
    await open.closeAll().catch(() => undefined);
    throw error;
  }
}

async function start(
  { nodes: shape = SHAPE, edges = [], say = () => undefined, signal, ...options }: ClusterOptions,
  log: Logger,
  open: ReturnType<typeof closers>,
): Promise<Cluster> {
  const folder =
    options.dataDir === undefined ? await mkdtemp(join(tmpdir(), 'chat-cluster-')) : resolve(options.dataDir);
  if (options.dataDir === undefined)
    open.add('folder', () => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  process.setMaxListeners(process.getMaxListeners() + EXIT_LISTENERS);
  open.add('exit listeners', () => process.setMaxListeners(process.getMaxListeners() - EXIT_LISTENERS));

  /** Opens one part, to be closed at the end, even if another part has failed meanwhile. */
  async function part<T extends { stop(): unknown }>(name: string, starting: Promise<T>): Promise<T> {
    const started = await starting;
    open.add(name, () => started.stop());
    say(`${name} runs`);
    return started;
  }
  const [postgres, redis, rabbitmq] = await all([
    part('PostgreSQL', startPostgres(join(folder, 'database'), log)),
    part('Redis', startRedis()),
    part('RabbitMQ', startRabbitmq()),
  ]);
  signal?.throwIfAborted();
  await options.prepare?.(postgres.ownerUrl);

  const port = options.port ?? (await freePort());
  const ways = openEdges(edges, { postgres: postgres.ownerUrl, redis: redis.url, rabbitmq: rabbitmq.url });
  open.add('ways', () => ways.close());
  const nodes: ClusterNode[] = [];
  for (const [kind, count = 0] of Object.entries(shape) as [Kind, number?][])
    for (let index = 0; index < count; index += 1) {
      const env = {
        DATABASE_URL: await ways.from(kind, 'postgres'),
        REDIS_URL: await ways.from(kind, 'redis'),
        AMQP_URL: await ways.from(kind, 'rabbitmq'),
        PUBLIC_URL: `http://127.0.0.1:${port}`,
        TRUSTED_PROXIES: '127.0.0.1',
        ...options.env,
      };
      const { nodeArgs } = options;
      nodes.push(await prepareNode({ kind, index, dataDir: join(folder, 'node'), env, nodeArgs }));
    }
  const killNodes = () => killProcesses(nodes.filter(({ isRunning }) => isRunning).map(({ pid }) => pid));
  process.once('exit', killNodes);
  signal?.addEventListener('abort', killNodes, { once: true });
  open.add('nodes', async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    process.off('exit', killNodes);
  });
  signal?.throwIfAborted();
  await Promise.all(
    nodes.map(async (node) => {
      await node.restart();
      say(`${node.kind} ${node.index} is ready at ${node.url}`);
    }),
  );
  const addresses: number[] = [];
  for (const node of nodes) if (FACING.has(node.kind)) addresses.push(await ways.towards(node));
  const nginx = await part('NGINX', startNginx({ nodes: addresses, port }));
  signal?.throwIfAborted();
  signal?.removeEventListener('abort', killNodes);

  return {
    url: nginx.url,
    databaseUrl: postgres.ownerUrl,
    nodes,
    of: (kind) => nodes.filter((node) => node.kind === kind),
    ...{ postgres, redis, rabbitmq, nginx },
    edge: ways.proxies,
    ready(withinMs) {
      const running = () => nodes.filter(({ isRunning }) => isRunning);
      const isEachReady = () => Promise.all(running().map(({ url }) => isReady(url)));
      return until(async () => (await isEachReady()).every(Boolean), 'all nodes are ready', withinMs);
    },
    stop: () => open.closeAll(),
  };
}

/** Like `Promise.all`, but a failure waits for the others, so that nothing starts after it. */
async function all<T extends readonly unknown[]>(starting: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  await Promise.allSettled(starting);
  return Promise.all(starting) as Promise<unknown> as Promise<T>;
}
