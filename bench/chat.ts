import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Bench, type BenchOptions, type Result, quantiles, round } from './bench.ts';
import type { Talk } from './chat-clients.ts';
import { startBareServer, startClients } from './children.ts';
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
  await clients.talk(warmUpMs, offered);
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

/** A server on the world of a shape, and the members in it. */
async function startProject(shape: Shape, nodeArgs: string[], folder = resolve(import.meta.dirname, '..')) {
  const from = async <T>(file: string) => (await import(join(folder, 'bench', file))) as T;
  const servers = await from<typeof Servers>('running-server.ts');
  const worlds = await from<typeof Worlds>('world.ts');
  const running = await servers.startFilledServer((store) => worlds.makeWorld(store, shape), nodeArgs);
  return { ...running, members: await servers.membersOf(running) };
}

/**
 * The same clients send to the project, to a bare Socket.IO server and, with `against`, to the server of
 * another checkout, in alternating rounds; the best of each counts. Memory is measured after the last round,
 * and again after a rest.
 */
async function chatIn(shape: Shape, { quick, nodeArgs, against, say }: BenchOptions): Promise<Result[]> {
  const { groups, members, targets } = shape;
  const name = `${groups} × ${members}`;
  const rounds = quick ? 2 : 5;
  const milliseconds = quick ? 1_500 : 8_000;
  const restSeconds = quick ? 1 : 60;
  const running = await startProject(shape, nodeArgs);
  const before = against === undefined ? undefined : await startProject(shape, [], against);
  const bare = await startBareServer();
  const sides = [
    { of: 'peer' as const, server: bare, members: running.members.map(bare.admit) },
    ...(before ? [{ of: 'before' as const, server: before.server, members: before.members }] : []),
    { of: 'project' as const, server: running.server, members: running.members },
  ].map((side) => ({ ...side, clients: startClients() }));
  const measured = { project: [] as Round[], peer: [] as Round[], before: [] as Round[] };
  try {
    for (const { clients, server, members: those } of sides) await clients.connect(server.url, those);
    const times = { warmUpMs: quick ? 600 : 2_000, milliseconds };
    for (let count = 1; count <= rounds; count += 1) {
      for (const { of, clients, server } of sides)
        measured[of].push(await measureTalk(clients, server, times));
      const told = sides.map(({ of }) => `${of} ${measured[of].at(-1)?.messagesPerSecond}`);
      say(`chat ${name} ${count}/${rounds}: ${told.join(', ')} messages/s`);
    }
    const resident = () => mebibytes(residentBytes(running.server.pid));
    const residentMiB = { atEnd: resident(), afterRest: 0, restSeconds };
    await pause(restSeconds * 1_000);
    residentMiB.afterRest = resident();
    say(
      `chat ${name}: ${residentMiB.atEnd} MiB resident, ${residentMiB.afterRest} after ${restSeconds} s of rest`,
    );
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
        ...{ projectDetail: { ...project, residentMiB }, peerDetail: peer },
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
  } finally {
    await Promise.all(sides.map(({ clients }) => clients.stop()));
    await bare.stop();
    await before?.stop();
    await running.stop();
  }
}

const cpuPerMessage = ({ serverCpuPerMessage, databaseCpuPerMessage }: Round) =>
  serverCpuPerMessage + databaseCpuPerMessage;

const bestOf = (rounds: Round[]): Round =>
  rounds.reduce((found, each) => (each.messagesPerSecond > found.messagesPerSecond ? each : found));

export const chat: Bench = {
  name: 'chat',
  async run(options) {
    const results: Result[] = [];
    for (const shape of shapes) results.push(...(await chatIn(shape, options)));
    return results;
  },
};
