import { setTimeout as pause } from 'node:timers/promises';
import { call } from '../tools/rest.ts';
import { type Bench, type Result, quantiles, round } from './bench.ts';
import { type Clients, startAttackers, startClients } from './children.ts';
import { type Sizes, arenaOf, attackNames, fill } from './hostile-arena.ts';
import type { Tally } from './hostile-client.ts';
import type { Member } from './member.ts';
import { cpuMicrosOfTree, residentBytes } from './process-stats.ts';
import { BENCH_ENV, startFilledServer } from './running-server.ts';

const TARGET = 2;
/** The rate of all bystanders together; each stays far below the limit of one user. */
const OFFERED_PER_SECOND = 100;
const PROBE_EVERY_MS = 20;
/** The time until an attack is fully under way. */
const UNDER_WAY_MS = 500;
/** A server is calm when it uses less than this share of a core for this long. */
const CALM_SHARE = 0.1;
const CALM_MS = 1_000;
const CALM_WITHIN_MS = 120_000;
/** Production limits, unlike in the other benches. */
const ENV = {
  PUBLIC_URL: BENCH_ENV.PUBLIC_URL,
  ACCESS_TOKEN_SECONDS: BENCH_ENV.ACCESS_TOKEN_SECONDS,
};

/** The latencies of other clients in milliseconds: the echo of their messages, and a query. */
interface Seen {
  echoMs: number[];
  queryMs: number[];
  /** Messages and queries that were not answered as expected. */
  refused: number;
}

async function watch(clients: Clients, url: string, members: Member[], milliseconds: number): Promise<Seen> {
  const took: number[] = [];
  let refused = 0;
  const talking = clients.talk(milliseconds, OFFERED_PER_SECOND);
  const ends = performance.now() + milliseconds;
  const asked: Promise<void>[] = [];
  for (let turn = 0; performance.now() < ends; turn += 1) {
    const { token } = members[(turn * 7) % members.length] as Member;
    const started = performance.now();
    asked.push(
      call(url, 'GET', '/v1/groups', { token }).then(
        () => void took.push(performance.now() - started),
        () => void (refused += 1),
      ),
    );
    await pause(PROBE_EVERY_MS);
  }
  const talk = await talking;
  await Promise.all(asked);
  return {
    echoMs: talk.echoMs,
    queryMs: took,
    refused: refused + talk.refused,
  };
}

/** Measures what other clients see before and during each attack on a server with production limits. */
export const hostile: Bench = {
  name: 'hostile',
  isForItself: true,
  async run({ quick, nodeArgs, say }) {
    const sizes: Sizes = quick
      ? { rounds: 2, companyGroups: 2_000, crowd: 2_000, changesOfPreferences: 200 }
      : { rounds: 5, companyGroups: 20_000, crowd: 20_000, changesOfPreferences: 1_000 };
    const milliseconds = quick ? 3_000 : 6_000;
    const running = await startFilledServer((store) => fill(store, sizes), nodeArgs, { env: ENV });
    const { url, pid } = running.server;
    const clients = startClients();
    const attackers = startAttackers();
    try {
      const members = await Promise.all(
        running.filled.bystanders.groups.flatMap(({ groupId, members: users }) =>
          users.map(async (userId) => ({ userId, groupId, token: await running.tokenOf(userId) })),
        ),
      );
      await clients.connect(url, members);
      await watch(clients, url, members, milliseconds);
      const results: Result[] = [];
      for (const name of attackNames) {
        const before: Seen[] = [];
        const during: Seen[] = [];
        const answers: Tally[] = [];
        for (let number = 0; number < sizes.rounds; number += 1) {
          const arena = await arenaOf(running, name, number);
          // The remains of an earlier round would affect both figures.
          if (!(await isCalm(pid)) && number > 0) break;
          before.push(await watch(clients, url, members, milliseconds));
          await attackers.attack(name, arena);
          await pause(UNDER_WAY_MS);
          during.push(await watch(clients, url, members, milliseconds));
          answers.push(await attackers.cease());
        }
        results.push(...linesOf(name, { before, during, answers }, mebibytes(pid)));
        for (const { case: line, project, peer, ratio } of results.slice(-2))
          say(`hostile: ${line}: p99 ${peer} ms before, ${project} ms during: ${ratio}`);
        say(`hostile: ${name}: ${JSON.stringify(answers)}`);
      }
      return results;
    } finally {
      await Promise.all([clients.stop(), attackers.stop()]);
      await running.stop();
    }
  },
};

const mebibytes = (pid: number) => round(residentBytes(pid) / 1_048_576, 0);

/**
 * Resolves with true once the server has finished the work of the last attack, with false at the deadline.
 */
async function isCalm(pid: number): Promise<boolean> {
  const deadline = performance.now() + CALM_WITHIN_MS;
  for (let used = cpuMicrosOfTree(pid); performance.now() < deadline;) {
    await pause(CALM_MS);
    const now = cpuMicrosOfTree(pid);
    if (now - used < CALM_SHARE * CALM_MS * 1_000) return true;
    used = now;
  }
  return false;
}

/** Merges all rounds of each side: they alternated, and the p99 of one round is a handful of messages. */
function linesOf(
  attack: string,
  { before, during, answers }: { before: Seen[]; during: Seen[]; answers: Tally[] },
  residentMiB: number,
): Result[] {
  const refused = during.reduce((sum, seen) => sum + seen.refused, 0);
  // A round without any answer of the server was no attack.
  const isAttacked = answers.every((tally) => Object.keys(tally).length > 0);
  return (['echoMs', 'queryMs'] as const).map((what) => {
    const of = (seen: Seen[]) => quantiles(seen.flatMap((one) => one[what]));
    const [calm, attacked] = [of(before), of(during)];
    const ratios = { p50: attacked.p50 / calm.p50, p99: attacked.p99 / calm.p99 };
    return {
      bench: 'hostile',
      case: `${attack}, ${what === 'echoMs' ? 'echo of messages' : 'queries'}`,
      project: attacked.p99,
      peer: calm.p99,
      ratio: round(ratios.p99),
      unit: 'ms',
      target: TARGET,
      rule: 'ratio < target, of p50 and of p99',
      ok: isAttacked && refused === 0 && ratios.p50 < TARGET && ratios.p99 < TARGET,
      p50: { before: calm.p50, during: attacked.p50, ratio: round(ratios.p50) },
      rounds: during.length,
      refused,
      answers,
      residentMiB,
    };
  });
}
