import type { ClusterOptions } from '../scripts/cluster/cluster.ts';
import { type Bench, type BenchOptions, type Result, round } from './bench.ts';
import type { Talk } from './chat-clients.ts';
import { startClients } from './children.ts';
import { startFilledCluster } from './running-cluster.ts';

const WORLD = { groups: 20, members: 10 };
/** CPU time of all parts for a message, to that of one process with what it needs. */
const TARGET = 1.3;

const OTHERS = { projector: 1, realtime: 1, notifier: 1, worker: 1 };
const SINGLE: ClusterOptions = { nodes: { all: 1 }, env: { REDIS_URL: '' } };
const SHAPES: Record<string, ClusterOptions> = {
  'one process with Redis': { nodes: { all: 1 } },
  '1 api': { nodes: { api: 1, ...OTHERS } },
  '2 api': { nodes: { api: 2, ...OTHERS } },
  '3 api': { nodes: { api: 3, ...OTHERS } },
};

interface Round extends Talk {
  /** Microseconds for one message: of the processes by role, of the stores and of the balancer. */
  cpuPerMessage: Record<string, number>;
  totalCpuPerMessage: number;
}

/**
 * The load of `chat` on one process and, in turn with it, on clusters with 1, 2 and 3 api nodes, all of it through NGINX.
 * Two cores become no more by having more processes on them, so what counts is CPU time per message.
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

/** A cluster with its clients, who have talked for a while. */
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
    async measure(): Promise<Round> {
      await clients.talk(quick ? 500 : 1_000);
      const before = running.cpu();
      const talk = await clients.talk(quick ? 3_000 : 8_000);
      const used = Object.entries(running.cpu()).map(
        ([part, micros]) => [part, (micros - (before[part] ?? 0)) / talk.messages] as const,
      );
      return {
        ...talk,
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
  const count = options.quick ? 2 : 4;
  const shape = await startShape(SHAPES[name]!, options);
  const [rounds, peers]: [Round[], Round[]] = [[], []];
  try {
    for (let nth = 1; nth <= count; nth += 1) {
      for (const [who, into] of [
        [single, peers],
        [shape, rounds],
      ] as const)
        into.push(await who.measure());
      const figures = [rounds, peers].map((each) => each.at(-1)!);
      const [mine, theirs] = figures.map(
        (r) => `${r.messagesPerSecond} messages/s at ${r.totalCpuPerMessage} µs`,
      );
      options.say(`cluster ${nth}/${count}: ${name} ${mine}, one process ${theirs}`);
    }
  } finally {
    await shape.stop();
  }
  const [project, peer] = [leastDisturbed(rounds), leastDisturbed(peers)];
  const ratio = project.totalCpuPerMessage / peer.totalCpuPerMessage;
  return {
    bench: 'cluster',
    case: name,
    project: project.totalCpuPerMessage,
    peer: peer.totalCpuPerMessage,
    ratio: round(ratio),
    unit: 'µs of CPU/message',
    target: TARGET,
    rule: 'ratio <= target',
    ok: ratio <= TARGET,
    /** Of the CPU time of all parts. */
    redisShare: round((project.cpuPerMessage['Redis'] ?? 0) / project.totalCpuPerMessage, 3),
    clientsThrough: 'NGINX',
    projectDetail: project,
    peerDetail: peer,
    rounds: {
      project: rounds.map(({ messagesPerSecond }) => messagesPerSecond),
      peer: peers.map(({ messagesPerSecond }) => messagesPerSecond),
    },
  };
}

/** The round with the least CPU time per message. */
const leastDisturbed = (rounds: readonly Round[]): Round =>
  rounds.toSorted((a, b) => a.totalCpuPerMessage - b.totalCpuPerMessage)[0]!;
