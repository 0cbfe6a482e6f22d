import { execFile } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { Listener } from '../tools/listener.ts';
import { ChatProblem, type Session, call, signUp } from '../tools/rest.ts';
import { type Cluster, startCluster } from '../scripts/cluster/cluster.ts';
import { prepareDebianPrograms } from '../tools/debian-programs.ts';
import { until } from '../tools/until.ts';
import { type Bench, type Result, median, round } from './bench.ts';
import { residentBytes } from './process-stats.ts';
import { BENCH_ENV } from './running-server.ts';

const GROUPS = 8;
const MEMBERS = 4;
const MESSAGES_PER_SECOND = 40;
const SAMPLE_MS = 5_000;
const JOIN_MS = 10_000;
const FILE_MS = 15_000;
const RESTART_MS = 30_000;
/** Caches fill and compilers warm up first. */
const WARM_UP = 0.25;
/** Growth from the first to the last third of the samples, as a factor. */
const TARGET = 1.15;
const MIB = 1_048_576;

/** The first of each kind is never restarted, so that its memory tells something. */
const NODES = { api: 2, projector: 2, realtime: 2, notifier: 2, worker: 2, sealer: 1 };

interface Sample {
  atMs: number;
  /** Resident memory of the processes that are never restarted, in bytes. */
  memory: Record<string, number>;
  connections: number;
  diskBytes: number;
  lagSeconds: number;
  messages: number;
}

interface Room {
  jobId: string;
  groupId: string;
  company: Session;
  clients: Listener[];
  sent: number;
}

/**
 * Lets a whole cluster work: conversations, people who join and leave, files, a restart of one process every half
 * minute, and a rebuild of all read models half-way. Memory, connections and disk per message must not grow, the lag
 * must end near zero, and every client must have every message.
 */
export const soak: Bench = {
  name: 'soak',
  isForItself: true,
  async run({ quick, minutes = quick ? 3 : 10, say }) {
    await prepareDebianPrograms();
    // Clients and letters use the balancer's URL.
    const { PUBLIC_URL: _, ...env } = BENCH_ENV;
    const cluster = await startCluster({ nodes: NODES, env });
    const database = new pg.Pool({ connectionString: cluster.databaseUrl, max: 1 });
    const ending = new AbortController();
    const rooms: Room[] = [];
    try {
      say(`soak: ${cluster.nodes.length} processes run for ${minutes} minutes`);
      for (let index = 0; index < GROUPS; index += 1) rooms.push(await openRoom(cluster.url));
      const counts = { joins: 0, files: 0, restarts: 0, rebuilds: 0 };
      const work = [
        talk(rooms, ending.signal),
        every(JOIN_MS, ending.signal, async (turn) => {
          await comeAndGo(cluster.url, rooms[turn % GROUPS]!);
          counts.joins += 1;
        }),
        every(FILE_MS, ending.signal, async (turn) => {
          await shareFile(rooms[turn % GROUPS]!);
          counts.files += 1;
        }),
        every(RESTART_MS, ending.signal, async (turn) => {
          const restarted = cluster.nodes.filter(({ index }) => index > 0);
          const node = restarted[turn % restarted.length]!;
          await node.stop();
          await node.restart();
          counts.restarts += 1;
        }),
      ];
      const samples: Sample[] = [];
      const started = performance.now();
      const totalMs = minutes * 60_000;
      for (let elapsed = 0; elapsed < totalMs; elapsed = performance.now() - started) {
        if (elapsed > totalMs / 2 && counts.rebuilds === 0) {
          counts.rebuilds = 1;
          await rebuildAll(cluster.databaseUrl);
        }
        samples.push(await sample(cluster, database, rooms, performance.now() - started));
        const { memory, connections, lagSeconds, messages } = samples.at(-1)!;
        if (samples.length % 12 === 0)
          say(
            `soak ${round(elapsed / 60_000, 1)} min: ${messages} messages, api ${round((memory['api'] ?? 0) / MIB, 0)} MiB, ` +
              `${connections} connections, ${round(lagSeconds, 1)} s behind, ${counts.restarts} restarts`,
          );
        await Promise.race([pause(SAMPLE_MS), ...work.map((each) => each.then(() => pause(SAMPLE_MS)))]);
      }
      ending.abort();
      await Promise.all(work);
      const missing = await countMissing(rooms);
      await until(
        async () => (await sample(cluster, database, rooms, 0)).lagSeconds < 1,
        'the followers to catch up',
        60_000,
      );
      return resultsOf(samples, { ...counts, minutes, missing });
    } finally {
      ending.abort();
      for (const { clients } of rooms) for (const client of clients) client.close();
      await database.end();
      await cluster.stop();
    }
  },
};

/** Does the work again and again, at most once in `milliseconds`, until the signal aborts. Rejects when it fails. */
async function every(
  milliseconds: number,
  signal: AbortSignal,
  work: (turn: number) => Promise<void>,
): Promise<void> {
  for (let turn = 0; !signal.aborted; turn += 1) {
    const next = pause(milliseconds, undefined, { signal }).catch(() => undefined);
    await work(turn);
    await next;
  }
}

/** Repeats a call while the cluster answers that repeating is safe, or a process is just being replaced. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1)
    try {
      return await work();
    } catch (error) {
      const status = error instanceof ChatProblem && error.status > 0 ? error.status : 503;
      if (tries === 100 || (status < 500 && status !== 429)) throw error;
      await pause(200);
    }
}

async function openRoom(url: string): Promise<Room> {
  const company = await signUp(url, { role: 'company', displayName: 'Harbour Robotics' });
  const { jobId, groupId } = await call<{ jobId: string; groupId: string }>(url, 'POST', '/v1/jobs', {
    token: company.accessToken,
    body: { title: 'Pilot', description: 'Flies what she built' },
  });
  const room: Room = { jobId, groupId, company, clients: [], sent: 0 };
  room.clients.push(await new Listener(company).connect());
  for (let index = 1; index < MEMBERS; index += 1) room.clients.push((await enter(url, room)).client);
  return room;
}

async function enter(url: string, { jobId, groupId }: Room) {
  const session = await patiently(() => signUp(url, { role: 'applicant', displayName: 'Ada' }));
  const { accessToken: token } = session;
  const { applicationId } = await patiently(() =>
    call<{ applicationId: string }>(url, 'POST', `/v1/jobs/${jobId}/applications`, { token, body: {} }),
  );
  const client = await new Listener(session).connect(60_000);
  await until(() => client.rooms.has(groupId), 'the room', 60_000);
  return { client, token, applicationId };
}

/** Sends messages in all rooms in turn, each by the next of its members. */
async function talk(rooms: readonly Room[], signal: AbortSignal): Promise<void> {
  const started = performance.now();
  for (let sent = 0; !signal.aborted; sent += 1) {
    const room = rooms[sent % rooms.length]!;
    const sender = room.clients[Math.floor(sent / rooms.length) % room.clients.length]!;
    await sender.send({ groupId: room.groupId, text: `The quick brown fox jumps over dog ${sent}` });
    room.sent += 1;
    const aheadMs = (sent * 1_000) / MESSAGES_PER_SECOND - (performance.now() - started);
    if (aheadMs > 0) await pause(aheadMs);
  }
}

/** Somebody applies, says something, and withdraws. */
async function comeAndGo(url: string, room: Room): Promise<void> {
  const { client, token, applicationId } = await enter(url, room);
  await client.send({ groupId: room.groupId, text: 'hello, and good-bye' });
  room.sent += 1;
  await patiently(() => call(url, 'DELETE', `/v1/applications/${applicationId}`, { token }));
  client.close();
}

const PIXELS = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

async function shareFile({ company, groupId }: Room): Promise<void> {
  const { url } = company;
  const ask = <T>(method: string, path: string, body?: object) =>
    patiently(() => call<T>(url, method, path, { token: company.accessToken, ...(body && { body }) }));
  const { fileId, upload } = await ask<{
    fileId: string;
    upload: { method: string; url: string; headers: Record<string, string> };
  }>('POST', '/v1/files', { name: 'a.png', contentType: 'image/png', size: PIXELS.length, groupId });
  await patiently(async () => {
    const answer = await fetch(upload.url, { method: upload.method, headers: upload.headers, body: PIXELS });
    if (!answer.ok && answer.status !== 409 && answer.status !== 412) throw new Error(`${answer.status}`);
  });
  await ask('POST', `/v1/files/${fileId}/complete`);
}

async function rebuildAll(databaseUrl: string): Promise<void> {
  await promisify(execFile)(process.execPath, ['scripts/projections.ts', 'rebuild', 'all'], {
    env: { PATH: process.env['PATH'], DATABASE_URL: databaseUrl },
  });
}

async function sample(
  { nodes, of }: Cluster,
  database: pg.Pool,
  rooms: readonly Room[],
  atMs: number,
): Promise<Sample> {
  const { rows } = await database.query<{ connections: number; disk: number }>(
    `select (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as connections,
       pg_database_size(current_database())::float8 as disk`,
  );
  const { connections, disk } = rows[0]!;
  const steady = nodes.filter(({ index }) => index === 0);
  return {
    atMs,
    memory: Object.fromEntries(steady.map(({ kind, pid }) => [kind, residentBytes(pid)])),
    connections,
    diskBytes: disk,
    lagSeconds: await lagOf(of('api')[0]!.url),
    messages: rooms.reduce((sum, { sent }) => sum + sent, 0),
  };
}

/** Resolves with the longest lag of any follower of the log but the notifier, which waits on purpose. */
async function lagOf(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const lags = [...metrics.matchAll(/^chat_lag_seconds\{follower="([^"]+)"\} (\S+)$/gm)];
  return Math.max(
    0,
    ...lags.filter(([, name]) => name !== 'notifier').map(([, , seconds]) => Number(seconds)),
  );
}

/** Resolves with the number of messages that some client lacks after everything has been sent. */
async function countMissing(rooms: readonly Room[]): Promise<number> {
  let missing = 0;
  for (const { groupId, clients, sent } of rooms)
    for (const client of clients) {
      await client.reached(groupId, sent, 60_000).catch(() => undefined);
      const seqs = client.view(groupId).map(({ seq }) => seq);
      if (seqs.some((seq, index) => seq !== index + 1)) missing += 1;
      missing += Math.max(0, sent - seqs.length);
    }
  return missing;
}

function resultsOf(samples: readonly Sample[], counts: Record<string, number>): Result[] {
  const steady = samples.slice(Math.floor(samples.length * WARM_UP));
  const third = Math.ceil(steady.length / 3);
  const [first, last] = [steady.slice(0, third), steady.slice(-third)];
  const hours = (last.at(-1)!.atMs - first[0]!.atMs) / 3_600_000;
  const common = { target: TARGET, rule: 'ratio <= target', ...counts };
  /** Compares the medians of the first and the last third. */
  const growth = (name: string, unit: string, of: (sample: Sample) => number): Result => {
    const [peer, project] = [median(first.map(of)), median(last.map(of))];
    const ratio = project / peer;
    const perHour = round((project - peer) / (hours * (2 / 3)), 2);
    return {
      ...{ bench: 'soak', case: name, project: round(project), peer: round(peer), ratio: round(ratio, 3) },
      ...{ unit, slopePerHour: perHour, ok: ratio <= TARGET },
      ...common,
    };
  };
  const kinds = Object.keys(samples[0]!.memory);
  const { messages, diskBytes } = samples.at(-1)!;
  const lags = samples.map(({ lagSeconds }) => lagSeconds);
  return [
    ...kinds.map((kind) => growth(`memory of ${kind}`, 'MiB', ({ memory }) => memory[kind]! / MIB)),
    growth('connections to PostgreSQL', 'connections', ({ connections }) => connections),
    growth('disk per message', 'bytes', (each) => each.diskBytes / Math.max(1, each.messages)),
    {
      ...{ bench: 'soak', case: 'lag', project: round(lags.at(-1)!), peer: round(Math.max(...lags)) },
      ...{ ratio: round(lags.at(-1)!), unit: 's at the end; the peer is the longest', ...common },
      ...{ target: 5, ok: lags.at(-1)! <= 5, messages, diskBytes },
    },
    {
      ...{
        bench: 'soak',
        case: 'messages missing at any client',
        project: counts['missing']!,
        peer: messages,
      },
      ...{ ratio: counts['missing']!, unit: 'messages', ...common, target: 0, ok: counts['missing'] === 0 },
    },
  ];
}
