import type { ClusterOptions } from '../scripts/cluster/cluster.ts';
import { type Bench, type BenchOptions, type Result, quantiles, round } from './bench.ts';
import type { Talk } from './chat-clients.ts';
import { startClients } from './children.ts';
import { startFilledCluster } from './running-cluster.ts';

const WORLD = { groups: 20, members: 10 };
/**
 * The target for the CPU time per message of all parts, relative to one process with its services, both at
 * `OFFERED`.
 */
const TARGET = 1.3;
/** Messages a second that every cluster here can carry on two cores without a queue. */
const OFFERED = 500;
/** More than the notifier's window of 30 s, after which it decides as many messages as are sent. */
const STEADY_AFTER_MS = 31_000;

const OTHERS = { projector: 1, realtime: 1, notifier: 1, worker: 1 };
const SINGLE: ClusterOptions = { nodes: { all: 1 }, env: { REDIS_URL: '' } };
const SHAPES: Record<string, ClusterOptions> = {
  'one process with Redis': { nodes: { all: 1 } },
  '1 api': { nodes: { api: 1, ...OTHERS } },
  '2 api': { nodes: { api: 2, ...OTHERS } },
  '3 api': { nodes: { api: 3, ...OTHERS } },
};

interface Round extends Omit<Talk, 'echoMs'> {
  echoMs: ReturnType<typeof quantiles>;
  /** Microseconds per message: of the processes by role, of the stores and of the balancer. */
  cpuPerMessage: Record<string, number>;
  totalCpuPerMessage: number;
}

/**
 * The load of `chat` on one process and, alternately, on clusters with 1, 2 and 3 api nodes, all through
 * NGINX. More processes do not add cores, so the CPU time per message counts. The less a process has to do,
 * the smaller its batches, and the more each message costs, so all are compared at the same messages a
 * second. The maximum rate of each is measured in addition.
 */
export const cluster: Bench = {
  name: 'cluster',
  isForItself: true,
  async run(options) {
    const single = await startShape(SINGLE, options);
    try {
      const results: Result[] = [];
      for (const name of Object.keys(SHAPES)) results.push(await compare(name, single, options));
      return results;
    } finally {
      await single.stop();
    }
  },
};

type Shape = Awaited<ReturnType<typeof startShape>>;

/** A cluster with its clients, warmed up. */
async function startShape(shape: ClusterOptions, { quick, nodeArgs }: BenchOptions) {
  const running = await startFilledCluster(WORLD, { ...shape, nodeArgs });
  const clients = startClients();
  const stop = async () => {
    await clients.stop();
    await running.stop();
  };
  try {
    await clients.connect(running.cluster.url, running.members);
    await clients.talk(quick ? 1_500 : 3_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    stop,
    async measure(offered?: number): Promise<Round> {
      await clients.talk(offered === undefined ? 1_000 : STEADY_AFTER_MS, offered);
      const before = running.cpu();
      const talk = await clients.talk(quick ? 4_000 : 8_000, offered);
      const used = Object.entries(running.cpu()).map(
        ([part, micros]) => [part, (micros - (before[part] ?? 0)) / talk.messages] as const,
      );
      return {
        ...{ ...talk, echoMs: quantiles(talk.echoMs) },
        cpuPerMessage: Object.fromEntries(used.map(([part, micros]) => [part, round(micros, 1)])),
        totalCpuPerMessage: round(
          used.reduce((sum, [, micros]) => sum + micros, 0),
          0,
        ),
      };
    },
  };
}

async function compare(name: string, single: Shape, options: BenchOptions): Promise<Result> {
  const shape = await startShape(SHAPES[name]!, options);
  /** Measures both alternately; the figures of each are from its least disturbed round. */
  async function measure(count: number, offered?: number): Promise<{ project: Round; peer: Round }> {
    const [rounds, peers]: [Round[], Round[]] = [[], []];
    for (let nth = 1; nth <= count; nth += 1) {
      peers.push(await single.measure(offered));
      rounds.push(await shape.measure(offered));
      const [mine, theirs] = [rounds, peers].map((each) => told(each.at(-1)!));
      options.say(`cluster ${nth}/${count}: ${name} ${mine}, one process ${theirs}`);
    }
    return { project: leastDisturbed(rounds), peer: leastDisturbed(peers) };
  }
  try {
    const { project, peer } = await measure(options.quick ? 1 : 2, OFFERED);
    // Last, when the new processes are as warm as the single one.
    const utmost = await measure(options.quick ? 2 : 3);
    const ratio = project.totalCpuPerMessage / peer.totalCpuPerMessage;
    return {
      bench: 'cluster',
      case: `${name}, ${OFFERED} messages/s`,
      project: project.totalCpuPerMessage,
      peer: peer.totalCpuPerMessage,
      ratio: round(ratio),
      unit: 'µs of CPU/message',
      target: TARGET,
      rule: 'ratio <= target',
      ok: ratio <= TARGET,
      /** The share in the CPU time of all parts. */
      redisShare: round((project.cpuPerMessage['Redis'] ?? 0) / project.totalCpuPerMessage, 3),
      clientsThrough: 'NGINX',
      projectDetail: project,
      peerDetail: peer,
      utmost: {
        ...utmost,
        ratio: round(utmost.project.totalCpuPerMessage / utmost.peer.totalCpuPerMessage),
      },
    };
  } finally {
    await shape.stop();
  }
}

const told = ({ messagesPerSecond, totalCpuPerMessage }: Round) =>
  `${messagesPerSecond} messages/s at ${totalCpuPerMessage} µs`;

/** Returns the round with the least CPU time per message. */
const leastDisturbed = (rounds: readonly Round[]): Round =>
  rounds.toSorted((a, b) => a.totalCpuPerMessage - b.totalCpuPerMessage)[0]!;
