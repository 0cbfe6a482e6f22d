import type { ClusterOptions } from '../scripts/cluster/cluster.ts';
import { type Bench, type BenchOptions, type Result, quantiles, round } from './bench.ts';
import { STEADY_AFTER_MS } from './chat.ts';
import type { Talk } from './chat-clients.ts';
import { startClients } from './children.ts';
import { startFilledCluster } from './running-cluster.ts';

const WORLD = { groups: 20, members: 10 };
/**
 * `cpu` and `utmost` are for the CPU time per message of all parts, relative to one process with its services, both
 * at `OFFERED` and both at their highest rate; `echo` is p50 at `OFFERED`, in milliseconds.
 */
const TARGETS = { cpu: 1.3, utmost: 1.5, echo: 15 };
/** Messages a second that every cluster here can carry on two cores without a queue. */
const OFFERED = 500;

const OTHERS = { projector: 1, realtime: 1, notifier: 1, worker: 1 };
const SINGLE: ClusterOptions = { nodes: { all: 1 }, env: { REDIS_URL: '' } };
/** The smallest one in which events go from node to node; the targets beyond `cpu` are for it. */
const CLUSTER = '2 api';
const SHAPES: Record<string, ClusterOptions> = {
  'one process with Redis': { nodes: { all: 1 } },
  '1 api': { nodes: { api: 1, ...OTHERS } },
  [CLUSTER]: { nodes: { api: 2, ...OTHERS } },
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
      const names = options.quick ? [CLUSTER] : Object.keys(SHAPES);
      for (const name of names) results.push(...(await compare(name, single, options)));
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

async function compare(name: string, single: Shape, options: BenchOptions): Promise<Result[]> {
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
    const steady = await measure(options.quick ? 1 : 2, OFFERED);
    // Last, when the new processes are as warm as the single one.
    const utmost = await measure(options.quick ? 2 : 3);
    const line = (
      what: string,
      figures: { project: number; peer: number; unit: string; target: number; isAbsolute?: true },
    ): Result => {
      const { isAbsolute = false, ...shown } = figures;
      const ratio = figures.project / figures.peer;
      return {
        ...{ bench: 'cluster', case: `${name}, ${what}`, ...shown, ratio: round(ratio) },
        rule: isAbsolute ? 'project <= target' : 'ratio <= target',
        ok: (isAbsolute ? figures.project : ratio) <= figures.target,
        clientsThrough: 'NGINX',
      };
    };
    const cpuOf = (measured: { project: Round; peer: Round }) => ({
      project: measured.project.totalCpuPerMessage,
      peer: measured.peer.totalCpuPerMessage,
      unit: 'µs of CPU/message',
    });
    const results: Result[] = [
      {
        ...line(`${OFFERED} messages/s`, { ...cpuOf(steady), target: TARGETS.cpu }),
        /** The share in the CPU time of all parts. */
        redisShare: round(
          (steady.project.cpuPerMessage['Redis'] ?? 0) / steady.project.totalCpuPerMessage,
          3,
        ),
        ...{ projectDetail: steady.project, peerDetail: steady.peer, utmost },
      },
    ];
    if (name === CLUSTER)
      results.push(
        line('at the utmost', { ...cpuOf(utmost), target: TARGETS.utmost }),
        line(`echo p50 at ${OFFERED} messages/s`, {
          ...{ project: steady.project.echoMs.p50, peer: steady.peer.echoMs.p50 },
          ...{ unit: 'ms', target: TARGETS.echo, isAbsolute: true },
        }),
      );
    return results;
  } finally {
    await shape.stop();
  }
}

const told = ({ messagesPerSecond, totalCpuPerMessage }: Round) =>
  `${messagesPerSecond} messages/s at ${totalCpuPerMessage} µs`;

/** Returns the round with the least CPU time per message. */
const leastDisturbed = (rounds: readonly Round[]): Round =>
  rounds.toSorted((a, b) => a.totalCpuPerMessage - b.totalCpuPerMessage)[0]!;
