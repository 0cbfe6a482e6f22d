import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { createEventStoreDbEventStore } from '../src/adapters/eventstoredb/event-store.ts';
import { APP_ROLE, createPool } from '../src/adapters/postgres/connection.ts';
import { prepareDatabase } from '../src/adapters/postgres/prepare-database.ts';
import { rebuildReadModels } from '../src/adapters/postgres/read-models/rebuild-projection.ts';
import {
  type RunningProjections,
  startProjections,
} from '../src/adapters/postgres/read-models/run-projections.ts';
import { createEventIds } from '../src/adapters/postgres/tables/event-ids.ts';
import { eventIds } from '../src/projections/event-ids.ts';
import type { Projection } from '../src/projections/projection.ts';
import { readModels } from '../src/projections/read-models.ts';
import { until } from '../tools/until.ts';
import { TEXT } from './append-peers.ts';
import { type Bench, type Result, best, median, perSecond, round } from './bench.ts';
import { quiet, startPostgres } from './postgres.ts';
import { sender } from './send-message.ts';
import { fillWorld, makeWorld } from './world.ts';

const GROUPS = 1_000;
const CAUGHT_UP_MS = 900_000;

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
      return [...appends, ...reads];
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

/** Opens the log with an empty index, which projections begin to fill. Resolves once a command could succeed. */
async function openProject(
  { url, ownerUrl }: Pick<Run, 'url' | 'ownerUrl'>,
  projections: readonly Projection[] = [eventIds],
) {
  const databaseUrl = await prepareDatabase(ownerUrl);
  const pool = createPool({ url: databaseUrl, role: APP_ROLE, max: 4, applicationName: 'bench', log: quiet });
  const store = createEventStoreDbEventStore({ url, ids: createEventIds(pool), log: quiet });
  await store.start();
  const projecting = await startProjections({ store, databaseUrl: ownerUrl, projections, log: quiet });
  await until(() => store.failure() === undefined, 'the start is complete', CAUGHT_UP_MS);
  return {
    store,
    projecting,
    async close() {
      await projecting.stop();
      await store.close();
      await pool.end();
    },
  };
}

async function compareAppends(run: Run): Promise<Result[]> {
  const { bare, quick, say } = run;
  const rounds = quick ? 2 : 5;
  const milliseconds = quick ? 1_500 : 5_000;
  const project = await openProject(run);
  const send = sender(project.store, await makeWorld(project.store, { groups: GROUPS, members: 5 }));
  const streams = Array.from({ length: GROUPS }, () => `bench-${randomUUID()}`);
  let next = 0;
  const append = () =>
    bare.appendToStream(
      streams[(next += 1) % GROUPS]!,
      jsonEvent({ type: 'MessageSent', data: { messageId: randomUUID(), text: TEXT } }),
    );
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
  const project = await openProject(run, [...readModels, eventIds]);
  await caughtUp(project.projecting, await project.store.head());
  const catchUpSeconds = (performance.now() - started) / 1_000;
  const between = await reading();
  const rebuilding = performance.now();
  await rebuildReadModels({ store: project.store, databaseUrl: run.ownerUrl, log: quiet });
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

async function caughtUp({ progress }: RunningProjections, head: number): Promise<void> {
  if (!(await progress.reached(head, CAUGHT_UP_MS))) throw new Error('the read models do not catch up');
}
