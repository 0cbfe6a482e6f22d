import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Bench, type BenchOptions, type Result, quantiles, round } from './bench.ts';
import type { Talk } from './chat-clients.ts';
import { type BareServer, startBareServer, startClients } from './children.ts';
import type * as Servers from './running-server.ts';
import type * as Worlds from './world.ts';
import { cpuMicros, cpuMicrosOfTree, residentBytes } from './process-stats.ts';

/** The shape of `sealing` and of `eventstoredb` as well. */
export const GROUPS = 20;
export const MEMBERS = 10;

export interface Round extends Omit<Talk, 'echoMs'> {
  echoMs: ReturnType<typeof quantiles>;
  /** CPU time per message in microseconds. */
  serverCpuPerMessage: number;
  databaseCpuPerMessage: number;
}

/** Lets the clients talk to a server for a while after a warm-up, at the highest rate or at `offered` messages a second, and measures both. */
export async function measureTalk(
  clients: Pick<ReturnType<typeof startClients>, 'talk'>,
  { pid, databasePid }: { pid: number; databasePid?: () => number | undefined },
  { warmUpMs, milliseconds, offered }: { warmUpMs: number; milliseconds: number; offered?: number },
): Promise<Round> {
  if (warmUpMs > 0) await clients.talk(warmUpMs, offered);
  const database = databasePid?.();
  const used = () => ({
    server: cpuMicros(pid),
    database: database === undefined ? 0 : cpuMicrosOfTree(database),
  });
  const before = used();
  const talk = await clients.talk(milliseconds, offered);
  const after = used();
  return {
    ...{ ...talk, echoMs: quantiles(talk.echoMs) },
    serverCpuPerMessage: round((after.server - before.server) / talk.messages, 0),
    databaseCpuPerMessage: round((after.database - before.database) / talk.messages, 0),
  };
}

/** The first time in a shape, when caches fill. */
const WARM_UP_MS = 1_000;

/** More than the notifier's window of 30 s, after which it decides as many messages as are sent. */
export const STEADY_AFTER_MS = 31_000;

const mebibytes = (bytes: number) => round(bytes / 1_048_576, 0);

interface Shape {
  groups: number;
  members: number;
  /** Each room is a conversation between a company and an applicant. */
  isPrivate?: true;
  targets: { rate: number; echo: number; cpu: number };
}

/**
 * A few rooms, large rooms, and many conversations of two. In the last, a message goes to two sockets, so most
 * of the work is not the broadcast.
 */
const shapes: Shape[] = [
  { groups: GROUPS, members: MEMBERS, targets: { rate: 0.85, echo: 2, cpu: 0.5 } },
  { groups: 4, members: 100, targets: { rate: 1.3, echo: 1.5, cpu: 0.4 } },
  { groups: 100, members: 2, isPrivate: true, targets: { rate: 0.45, echo: 3, cpu: 0.5 } },
];

/** Starts a server, by default of this checkout, on a world of each shape. */
async function startProject(nodeArgs: string[], folder = resolve(import.meta.dirname, '..')) {
  const from = async <T>(file: string) => (await import(join(folder, 'bench', file))) as T;
  const servers = await from<typeof Servers>('running-server.ts');
  const worlds = await from<typeof Worlds>('world.ts');
  const { server, tokenOf, filled, stop } = await servers.startFilledServer(async (store) => {
    const filled = new Map<Shape, Worlds.World>();
    for (const shape of shapes) filled.set(shape, await worlds.makeWorld(store, shape));
    return filled;
  }, nodeArgs);
  const membersIn = (shape: Shape) => servers.membersOf({ filled: filled.get(shape)!, tokenOf });
  return { server, stop, membersIn };
}

type Project = Awaited<ReturnType<typeof startProject>>;

interface Sides {
  project: Project;
  peer: BareServer;
  /** Another checkout. */
  before: Project | undefined;
}

/**
 * The same clients send to the project, to a bare Socket.IO server and, with `before`, to the server of
 * another checkout, in alternating rounds; the best of each counts.
 */
async function chatIn(
  shape: Shape,
  { project: running, peer: bare, before }: Sides,
  { quick, say }: BenchOptions,
): Promise<Result[]> {
  const { groups, members, targets } = shape;
  const name = `${groups} × ${members}`;
  const rounds = quick ? 2 : 5;
  const times = { warmUpMs: quick ? 0 : 2_000, milliseconds: quick ? 1_000 : 8_000 };
  const own = await running.membersIn(shape);
  const sides = [
    { of: 'peer' as const, server: bare, members: own.map(bare.admit) },
    ...(before
      ? [{ of: 'before' as const, server: before.server, members: await before.membersIn(shape) }]
      : []),
    { of: 'project' as const, server: running.server, members: own },
  ].map((side) => ({ ...side, clients: startClients() }));
  const measured = { project: [] as Round[], peer: [] as Round[], before: [] as Round[] };
  try {
    for (const { clients, server, members: those } of sides) {
      await clients.connect(server.url, those);
      await clients.talk(WARM_UP_MS);
    }
    for (let count = 1; count <= rounds; count += 1) {
      for (const { of, clients, server } of sides)
        measured[of].push(await measureTalk(clients, server, times));
      const told = sides.map(({ of }) => `${of} ${measured[of].at(-1)?.messagesPerSecond}`);
      say(`chat ${name} ${count}/${rounds}: ${told.join(', ')} messages/s`);
    }
  } finally {
    await Promise.all(sides.map(({ clients }) => clients.stop()));
  }
  const [project, peer] = [bestOf(measured.project), bestOf(measured.peer)];
  const line = (
    what: string,
    figures: { project: number; peer: number; unit: string; target: number; isLeast?: true },
  ): Result => {
    const ratio = figures.project / figures.peer;
    const { isLeast, ...shown } = figures;
    return {
      ...{ bench: 'chat', case: `${name} ${what}`, ...shown, ratio: round(ratio) },
      rule: isLeast ? 'ratio >= target' : 'ratio <= target',
      ok: isLeast ? ratio >= figures.target : ratio <= figures.target,
    };
  };
  const rates = (those: Round[]) => those.map(({ messagesPerSecond }) => messagesPerSecond);
  const echoes = (those: Round[]) => Math.min(...those.map(({ echoMs }) => echoMs.p99));
  const cost = (those: Round[]) => Math.min(...those.map(cpuPerMessage));
  return [
    {
      ...line('rate', {
        ...{ project: project.messagesPerSecond, peer: peer.messagesPerSecond },
        ...{ unit: 'messages/s', target: targets.rate, isLeast: true },
      }),
      ...{ projectDetail: project, peerDetail: peer },
      rounds: { project: rates(measured.project), peer: rates(measured.peer) },
    },
    line('echo p99', {
      ...{ project: echoes(measured.project), peer: echoes(measured.peer) },
      ...{ unit: 'ms', target: targets.echo },
    }),
    ...(before
      ? [
          line('CPU', {
            ...{ project: cost(measured.project), peer: cost(measured.before) },
            ...{ unit: 'µs/message', target: targets.cpu },
          }),
        ]
      : []),
  ];
}

const cpuPerMessage = ({ serverCpuPerMessage, databaseCpuPerMessage }: Round) =>
  serverCpuPerMessage + databaseCpuPerMessage;

const bestOf = (rounds: Round[]): Round =>
  rounds.reduce((found, each) => (each.messagesPerSecond > found.messagesPerSecond ? each : found));

/** Memory is measured after the last round, and again after a rest. */
export const chat: Bench = {
  name: 'chat',
  async run(options) {
    const { quick, nodeArgs, against, say } = options;
    const restSeconds = quick ? 1 : 60;
    const project = await startProject(nodeArgs);
    const before = against === undefined ? undefined : await startProject([], against);
    const peer = await startBareServer();
    try {
      const results: Result[] = [];
      for (const shape of shapes) results.push(...(await chatIn(shape, { project, peer, before }, options)));
      const resident = () => mebibytes(residentBytes(project.server.pid));
      const atEnd = resident();
      await pause(restSeconds * 1_000);
      const residentMiB = { atEnd, afterRest: resident(), restSeconds };
      say(`chat: ${atEnd} MiB resident, ${residentMiB.afterRest} after ${restSeconds} s of rest`);
      return results.map((result) => ({ ...result, residentMiB }));
    } finally {
      await peer.stop();
      await before?.stop();
      await project.stop();
    }
  },
};
