import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { rebuildReadModels } from '../src/adapters/postgres/read-models/rebuild-projection.ts';
import { eventIds } from '../src/projections/event-ids.ts';
import { readModels } from '../src/projections/read-models.ts';
import { TEXT } from './append-peers.ts';
import { type Bench, type Result, best, median, perSecond, round } from './bench.ts';
import { quiet, startPostgres } from './postgres.ts';
import { type Round, measureTalk } from './chat.ts';
import { startClients } from './children.ts';
import { caughtUp, openEventStoreDbLog } from './log.ts';
import { BENCH_ENV, membersOf, startFilledServer } from './running-server.ts';
import { sender } from './send-message.ts';
import { fillWorld, makeWorld } from './world.ts';

const GROUPS = 1_000;
/** Time of sending before the first round, in which every group gets messages. */
const WARM_UP_MS = 4_000;
const CHAT = { groups: 20, members: 10 };

/**
 * Compares the log on a running EventStoreDB with the bare client on the same server, in alternating rounds:
 * appends, and reading the whole log into the read models. The server keeps what the bench writes.
 */
export const eventStoreDb: Bench = {
  name: 'eventstoredb',
  isForItself: true,
  async run({ quick, say, eventStoreDbUrl: url }) {
    if (url === undefined) {
      say('eventstoredb: left out, because it needs --eventstoredb <url>');
      return [];
    }
    const postgres = await startPostgres();
    const bare = EventStoreDBClient.connectionString(url);
    try {
      const appends = await compareAppends({
        url,
        bare,
        quick,
        say,
        ownerUrl: await postgres.createDatabase('a'),
      });
      const reads = await compareReading({
        url,
        bare,
        quick,
        say,
        ownerUrl: await postgres.createDatabase('r'),
      });
      const chats = await compareChats({ url, quick, say });
      return [...appends, ...reads, ...chats];
    } finally {
      await bare.dispose();
      await postgres.stop();
    }
  },
};

interface Run {
  url: string;
  bare: EventStoreDBClient;
  ownerUrl: string;
  quick: boolean;
  say: (line: string) => void;
}

async function compareAppends(run: Run): Promise<Result[]> {
  const { bare, quick, say } = run;
  const rounds = quick ? 2 : 5;
  const milliseconds = quick ? 1_500 : 5_000;
  const project = await openEventStoreDbLog(run);
  await caughtUp(project.store, project.projecting);
  const send = sender(project.store, await makeWorld(project.store, { groups: GROUPS, members: 5 }));
  const streams = Array.from({ length: GROUPS }, () => `bench-${randomUUID()}`);
  let next = 0;
  const append = () =>
    bare.appendToStream(
      streams[(next += 1) % GROUPS]!,
      jsonEvent({ type: 'MessageSent', data: { messageId: randomUUID(), text: TEXT } }),
    );
  // A running server has the groups that people write to in memory, and streams that were written to before.
  await send(64, WARM_UP_MS);
  await perSecond(64, WARM_UP_MS / 4, append);
  const results: Result[] = [];
  for (const width of [8, 64, 256]) {
    const rates: { project: number[]; peer: number[] } = { project: [], peer: [] };
    for (let count = 1; count <= rounds; count += 1) {
      rates.peer.push(await perSecond(width, milliseconds, append));
      rates.project.push(await send(width, milliseconds));
      say(
        `append ${width} in flight, ${count}/${rounds}: project ${round(rates.project.at(-1)!, 0)}, bare client ${round(rates.peer.at(-1)!, 0)} per second`,
      );
    }
    const ratio = best(rates.project) / best(rates.peer);
    const details = { project: round(best(rates.project), 0), peer: round(best(rates.peer), 0) };
    const shared = { bench: 'eventstoredb', ...details, rounds: rates };
    // In a closed loop the mean latency is the width divided by the rate.
    results.push(
      width === 8
        ? {
            ...shared,
            ...{ case: 'latency of an append, 8 in flight', ratio: round(1 / ratio), unit: 'messages/s' },
            ...{ target: 1.5, rule: '1 / ratio <= target', ok: 1 / ratio <= 1.5 },
          }
        : {
            ...shared,
            ...{ case: `append, ${width} in flight`, ratio: round(ratio), unit: 'messages/s' },
            ...{ target: 0.95, rule: 'ratio >= target', ok: ratio >= 0.95 },
          },
    );
  }
  await fillWorld(
    project.store,
    await makeWorld(project.store, { groups: 200, members: 10 }),
    quick ? 50_000 : 300_000,
  );
  await project.close();
  return results;
}

async function compareReading(run: Run): Promise<Result[]> {
  const { bare, say } = run;
  const reading = async () => {
    const started = performance.now();
    let events = 0;
    for await (const _ of bare.readAll()) events += 1;
    return { events, seconds: (performance.now() - started) / 1_000 };
  };
  const before = await reading();
  const started = performance.now();
  const project = await openEventStoreDbLog(run, [...readModels, eventIds]);
  await caughtUp(project.store, project.projecting);
  const catchUpSeconds = (performance.now() - started) / 1_000;
  const between = await reading();
  const rebuilding = performance.now();
  await rebuildReadModels({ store: project.store, databaseUrl: project.databaseUrl, log: quiet });
  const rebuildSeconds = (performance.now() - rebuilding) / 1_000;
  const after = await reading();
  await project.close();
  const { events } = between;
  const peerSeconds = median([before, between, after].map(({ seconds }) => seconds));
  say(
    `reading ${events} events: bare client ${round(peerSeconds)} s, catch-up ${round(catchUpSeconds)} s, rebuild ${round(rebuildSeconds)} s`,
  );
  const compare = (name: string, seconds: number, target: number): Result => ({
    ...{ bench: 'eventstoredb', case: name, project: round(events / seconds, 0) },
    ...{ peer: round(events / peerSeconds, 0), ratio: round(peerSeconds / seconds), unit: 'events/s' },
    ...{ target, rule: 'ratio >= target', ok: peerSeconds / seconds >= target },
  });
  return [
    compare('catch-up from an empty database', catchUpSeconds, 0.5),
    compare('rebuild of all read models', rebuildSeconds, 0.6),
  ];
}

/** Compares a chat on a server whose log is on EventStoreDB with the same on PostgreSQL, in alternating rounds. */
async function compareChats({ url, quick, say }: Pick<Run, 'url' | 'quick' | 'say'>): Promise<Result[]> {
  const rounds = quick ? 2 : 5;
  const milliseconds = quick ? 2_200 : 8_000;
  const begin = async (env: Record<string, string>) => {
    const running = await startFilledServer((store) => makeWorld(store, CHAT), [], {
      env: { ...BENCH_ENV, ...env },
    });
    const clients = startClients();
    await clients.connect(running.server.url, await membersOf(running));
    return {
      talk: () => measureTalk(clients, running.server, { warmUpMs: milliseconds / 4, milliseconds }),
      async stop() {
        await clients.stop();
        await running.stop();
      },
    };
  };
  const project = await begin({ EVENTSTOREDB_URL: url });
  const peer = await begin({});
  const measured: Record<'project' | 'peer', Round[]> = { project: [], peer: [] };
  try {
    for (let count = 1; count <= rounds; count += 1) {
      measured.peer.push(await peer.talk());
      measured.project.push(await project.talk());
      const [ours, theirs] = [measured.project.at(-1)!, measured.peer.at(-1)!];
      say(
        `chat ${count}/${rounds}: on EventStoreDB ${ours.messagesPerSecond} messages/s, p50 ${ours.echoMs.p50} ms; on PostgreSQL ${theirs.messagesPerSecond}, ${theirs.echoMs.p50} ms`,
      );
    }
  } finally {
    await project.stop();
    await peer.stop();
  }
  const rate = (who: 'project' | 'peer') => best(measured[who].map((talk) => talk.messagesPerSecond));
  const latency = (who: 'project' | 'peer') => Math.min(...measured[who].map(({ echoMs }) => echoMs.p50));
  const ratio = rate('project') / rate('peer');
  const latencyRatio = latency('project') / latency('peer');
  const shared = { bench: 'eventstoredb', rounds: measured };
  return [
    {
      ...shared,
      ...{ case: 'chat, as on PostgreSQL', project: rate('project'), peer: rate('peer') },
      ...{ ratio: round(ratio), unit: 'messages/s', target: 0.8, rule: 'ratio >= target', ok: ratio >= 0.8 },
    },
    {
      ...shared,
      ...{
        case: 'p50 of a chat',
        project: latency('project'),
        peer: latency('peer'),
        ratio: round(latencyRatio),
      },
      ...{ unit: 'ms', target: 1.5, rule: 'ratio <= target', ok: latencyRatio <= 1.5 },
    },
  ];
}
