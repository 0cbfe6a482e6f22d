import { rebuildReadModels } from '../src/adapters/postgres/read-models/rebuild-projection.ts';
import { startProjections } from '../src/adapters/postgres/read-models/run-projections.ts';
import { type Bench, type Result, best, round } from './bench.ts';
import { caughtUp, openLog } from './log.ts';
import { quiet, startPostgres } from './postgres.ts';
import { sender } from './send-message.ts';
import { fillWorld, makeWorld } from './world.ts';

const GROUPS = 200;
const MEMBERS = 10;
const IN_FLIGHT = 64;
/** At most a tenth of the speed. */
const TARGET = 0.9;

/** Compares a log whose personal text is sealed with one that holds it as it is: appends, and rebuilding all read models. */
export const sealing: Bench = {
  name: 'sealing',
  isForItself: true,
  async run({ quick, say }) {
    const rounds = quick ? 3 : 6;
    const milliseconds = quick ? 1_500 : 5_000;
    const events = quick ? 50_000 : 200_000;
    const postgres = await startPostgres();

    async function stage(name: string, isSealed: boolean) {
      const ownerUrl = await postgres.createDatabase(name);
      const log = await openLog(ownerUrl, { isSealed });
      const world = await makeWorld(log.store, { groups: GROUPS, members: MEMBERS });
      const send = sender(log.store, world);
      await send(IN_FLIGHT, 1_000);
      return {
        ...log,
        append: () => send(IN_FLIGHT, milliseconds),
        fill: async () => {
          await fillWorld(log.store, world, events);
          const live = await startProjections({ store: log.store, databaseUrl: ownerUrl, log: quiet });
          await caughtUp(log.store, live);
          await live.stop();
        },
        async replay() {
          const started = performance.now();
          await rebuildReadModels({ store: log.store, databaseUrl: ownerUrl, log: quiet });
          return ((await log.store.head()) * 1_000) / (performance.now() - started);
        },
      };
    }

    try {
      const sealed = await stage('sealed', true);
      const plain = await stage('plain', false);
      const results: Result[] = [];
      for (const work of ['append', 'replay'] as const) {
        const rates = { sealed: [] as number[], plain: [] as number[] };
        if (work === 'replay') for (const each of [sealed, plain]) await each.fill();
        for (let count = 1; count <= rounds; count += 1) {
          rates.sealed.push(await sealed[work]());
          rates.plain.push(await plain[work]());
          const last = [rates.sealed, rates.plain].map((each) => round(each.at(-1)!, 0));
          say(`sealing, ${work} ${count}/${rounds}: sealed ${last[0]}, plain ${last[1]} per second`);
        }
        const ratio = best(rates.sealed) / best(rates.plain);
        results.push({
          ...{ bench: 'sealing', case: work },
          ...{ project: round(best(rates.sealed), 0), peer: round(best(rates.plain), 0) },
          ...{ ratio: round(ratio), unit: 'events/s', target: TARGET, rule: 'ratio >= target' },
          ok: ratio >= TARGET,
        });
      }
      await sealed.close();
      await plain.close();
      return results;
    } finally {
      await postgres.stop();
    }
  },
};
