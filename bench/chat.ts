import { setTimeout as pause } from 'node:timers/promises';
import { type Bench, type BenchOptions, type Result, best, quantiles, round } from './bench.ts';
import type { Talk } from './chat-clients.ts';
import { startBareServer, startClients } from './children.ts';
import { cpuMicros, cpuMicrosOfTree, residentBytes } from './process-stats.ts';
import { membersOf, startFilledServer } from './running-server.ts';
import { makeWorld } from './world.ts';

export const GROUPS = 20;
export const MEMBERS = 10;
const TARGET = 0.6;
/** Conversations in private: a company and an applicant in each. */
const THREADS = 1_000;
/** The peer sends a message of two to two sockets, so most of the work is not the broadcast. */
const PRIVATE_TARGET = 0.2;

export interface Round extends Omit<Talk, 'echoMs'> {
  echoMs: ReturnType<typeof quantiles>;
  /** CPU time per message in microseconds. */
  serverCpuPerMessage: number;
  databaseCpuPerMessage: number;
}

/** Lets the clients talk to a server for a while after a warm-up, and measures both. */
export async function measureTalk(
  clients: Pick<ReturnType<typeof startClients>, 'talk'>,
  { pid, databasePid }: { pid: number; databasePid?: () => number | undefined },
  { warmUpMs, milliseconds }: { warmUpMs: number; milliseconds: number },
): Promise<Round> {
  await clients.talk(warmUpMs);
  const database = databasePid?.();
  const used = () => ({
    server: cpuMicros(pid),
    database: database === undefined ? 0 : cpuMicrosOfTree(database),
  });
  const before = used();
  const talk = await clients.talk(milliseconds);
  const after = used();
  return {
    ...{ ...talk, echoMs: quantiles(talk.echoMs) },
    serverCpuPerMessage: round((after.server - before.server) / talk.messages, 0),
    databaseCpuPerMessage: round((after.database - before.database) / talk.messages, 0),
  };
}

const mebibytes = (bytes: number) => round(bytes / 1_048_576, 0);

/** The worlds in which people talk: a few groups, and very many conversations of two. */
const worlds = [
  { name: 'group', size: { groups: GROUPS, members: MEMBERS }, target: TARGET },
  { name: 'private', size: { groups: THREADS, members: 2, isPrivate: true }, target: PRIVATE_TARGET },
];

/**
 * The same clients send to the project and to a bare Socket.IO server in alternating rounds; the best of each
 * counts. Memory is measured after the last round, and again after a rest.
 */
async function chatIn(
  { name, size, target }: (typeof worlds)[number],
  { quick, nodeArgs, say }: BenchOptions,
): Promise<Result> {
  const rounds = quick ? 2 : 5;
  const milliseconds = quick ? 2_200 : 8_000;
  const restSeconds = quick ? 5 : 60;
  const running = await startFilledServer((store) => makeWorld(store, size), nodeArgs);
  const bare = await startBareServer();
  const clients = { project: startClients(), peer: startClients() };
  try {
    const members = await membersOf(running);
    await clients.project.connect(running.server.url, members);
    await clients.peer.connect(bare.url, members.map(bare.admit));
    const times = { warmUpMs: quick ? 1_000 : 2_000, milliseconds };
    const project: Round[] = [];
    const peer: Round[] = [];
    for (let count = 1; count <= rounds; count += 1) {
      peer.push(await measureTalk(clients.peer, bare, times));
      project.push(await measureTalk(clients.project, running.server, times));
      const rates = [project, peer].map((measured) => measured.at(-1)?.messagesPerSecond);
      say(`chat ${name} ${count}/${rounds}: project ${rates[0]}, bare Socket.IO ${rates[1]} messages/s`);
    }
    const resident = () => mebibytes(residentBytes(running.server.pid));
    const residentMiB = { atEnd: resident(), afterRest: 0, restSeconds };
    await pause(restSeconds * 1_000);
    residentMiB.afterRest = resident();
    const { atEnd, afterRest } = residentMiB;
    say(`chat ${name}: ${atEnd} MiB resident, ${afterRest} after ${restSeconds} s of rest`);
    const rate = (measured: Round[]) => best(measured.map(({ messagesPerSecond }) => messagesPerSecond));
    const bestRound = (measured: Round[]) =>
      measured.find(({ messagesPerSecond }) => messagesPerSecond === rate(measured));
    const ratio = rate(project) / rate(peer);
    return {
      ...{ bench: 'chat', case: name, project: rate(project), peer: rate(peer), ratio: round(ratio) },
      ...{ unit: 'messages/s', target, rule: 'ratio >= target', ok: ratio >= target },
      projectDetail: { ...bestRound(project), residentMiB },
      peerDetail: bestRound(peer),
      rounds: {
        project: project.map(({ messagesPerSecond }) => messagesPerSecond),
        peer: peer.map(({ messagesPerSecond }) => messagesPerSecond),
      },
    };
  } finally {
    await Promise.all([clients.project.stop(), clients.peer.stop(), bare.stop()]);
    await running.stop();
  }
}

export const chat: Bench = {
  name: 'chat',
  async run(options) {
    const results: Result[] = [];
    for (const world of worlds) results.push(await chatIn(world, options));
    return results;
  },
};
