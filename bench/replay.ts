import type { EventStore } from '../src/events/event-store.ts';
import { rebuildReadModels } from '../src/adapters/postgres/read-models/rebuild-projection.ts';
import { startProjections } from '../src/adapters/postgres/read-models/run-projections.ts';
import { type Bench, best, round } from './bench.ts';
import { caughtUp, openLog } from './log.ts';
import { quiet, startPostgres } from './postgres.ts';
import { fillWorld, makeWorld } from './world.ts';

const TARGET = 0.6;
const PAGE = 1_000;

/**
 * Compares rebuilding every read model from the whole log, checks and switching included, with reading the
 * log alone.
 */
export const replay: Bench = {
  name: 'replay',
  async run({ quick, say }) {
    const events = quick ? 30_000 : 300_000;
    const rounds = quick ? 2 : 3;
    const postgres = await startPostgres();
    try {
      const { store, databaseUrl, close } = await openLog(await postgres.createDatabase('replay'));
      const live = await startProjections({ store, databaseUrl, log: quiet });
      await fillWorld(store, await makeWorld(store, { groups: 200, members: 10 }), events);
      const head = await store.head();
      await caughtUp(store, live);
      await live.stop();
      const project: number[] = [];
      const peer: number[] = [];
      let perReadModel: Record<string, number> = {};
      for (let count = 1; count <= rounds; count += 1) {
        peer.push(await readAll(store));
        const started = performance.now();
        const rebuilt = await rebuildReadModels({ store, databaseUrl, log: quiet });
        const seconds = (performance.now() - started) / 1_000;
        project.push(head / seconds);
        perReadModel = Object.fromEntries(rebuilt.map(({ name, seconds: took }) => [name, round(took)]));
        say(`replay ${count}/${rounds}: ${head} events into all read models in ${round(seconds)} s`);
      }
      await close();
      const ratio = best(project) / best(peer);
      return [
        {
          bench: 'replay',
          project: round(best(project), 0),
          peer: round(best(peer), 0),
          ratio: round(ratio),
          unit: 'events/s',
          target: TARGET,
          rule: 'ratio >= target',
          ok: ratio >= TARGET,
          events: head,
          secondsPerReadModel: perReadModel,
        },
      ];
    } finally {
      await postgres.stop();
    }
  },
};

/** Measures events per second of reading the log and counting them by type, the upper limit of a replay. */
async function readAll(store: EventStore): Promise<number> {
  const started = performance.now();
  const counts = new Map<string, number>();
  let after = 0;
  for (;;) {
    const page = await store.readAll({ after, limit: PAGE });
    for (const { type } of page) counts.set(type, (counts.get(type) ?? 0) + 1);
    after = page.at(-1)?.position ?? after;
    if (page.length < PAGE) return (after * 1_000) / (performance.now() - started);
  }
}
