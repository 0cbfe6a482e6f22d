import type { EventStore } from '../src/events/event-store.ts';
import { rebuildReadModels } from '../src/adapters/postgres/read-models/rebuild-projection.ts';
import { startProjections } from '../src/adapters/postgres/read-models/run-projections.ts';
import { type Bench, type Result, best, round } from './bench.ts';
import { GROUPS as CHAT_GROUPS, MEMBERS as CHAT_MEMBERS, measureTalk } from './chat.ts';
import { startClients } from './children.ts';
import { caughtUp, openLog } from './log.ts';
import { quiet, startPostgres } from './postgres.ts';
import { membersOf, startFilledServer } from './running-server.ts';
import { sender } from './send-message.ts';
import { fillWorld, makeWorld } from './world.ts';

const GROUPS = 200;
const MEMBERS = 10;
const IN_FLIGHT = 64;
/** At most a tenth of the speed. */
const TARGET = 0.9;

interface Rates {
  sealed: number[];
  plain: number[];
}

function resultOf(work: string, { sealed, plain }: Rates, unit: string): Result {
  const ratio = best(sealed) / best(plain);
  return {
    ...{ bench: 'sealing', case: work, unit, target: TARGET, rule: 'ratio >= target' },
    ...{
      project: round(best(sealed), 0),
      peer: round(best(plain), 0),
      ratio: round(ratio),
      ok: ratio >= TARGET,
    },
    rounds: { project: sealed.map((rate) => round(rate, 0)), peer: plain.map((rate) => round(rate, 0)) },
  };
}

/** The same clients talk to a server that seals text and signs checkpoints, and to one that does neither, in turn. */
async function talkOnBoth({ quick, say }: Parameters<Bench['run']>[0]): Promise<Result> {
  const fill = (store: EventStore) => makeWorld(store, { groups: CHAT_GROUPS, members: CHAT_MEMBERS });
  const stage = async (isSealed: boolean) => {
    const running = await startFilledServer(fill, [], { isSealed });
    const clients = startClients();
    await clients.connect(running.server.url, await membersOf(running));
    return { running, clients };
  };
  const stages = { sealed: await stage(true), plain: await stage(false) };
  try {
    const rates: Rates = { sealed: [], plain: [] };
    const times = { warmUpMs: quick ? 1_000 : 2_000, milliseconds: quick ? 2_200 : 8_000 };
    for (let count = 1; count <= (quick ? 3 : 6); count += 1) {
      for (const name of ['sealed', 'plain'] as const) {
        const { clients, running } = stages[name];
        rates[name].push((await measureTalk(clients, running.server, times)).messagesPerSecond);
      }
      say(`sealing, chat ${count}: sealed ${rates.sealed.at(-1)}, plain ${rates.plain.at(-1)} messages/s`);
    }
    return resultOf('chat', rates, 'messages/s');
  } finally {
    for (const { clients, running } of Object.values(stages)) {
      await clients.stop();
      await running.stop();
    }
  }
}

/**
 * Compares a log whose personal text is sealed with one that holds it as it is: appends, rebuilding all read models, and
 * chat.
 */
export const sealing: Bench = {
  name: 'sealing',
  isForItself: true,
  async run(options) {
    const { quick, say } = options;
    const rounds = quick ? 3 : 6;
    const milliseconds = quick ? 1_500 : 5_000;
    const events = quick ? 50_000 : 200_000;
    const postgres = await startPostgres();

    async function stage(name: string, isSealed: boolean) {
      const log = await openLog(await postgres.createDatabase(name), { isSealed });
      const { databaseUrl } = log;
      const world = await makeWorld(log.store, { groups: GROUPS, members: MEMBERS });
      const send = sender(log.store, world);
      await send(IN_FLIGHT, 1_000);
      return {
        ...log,
        append: () => send(IN_FLIGHT, milliseconds),
        fill: async () => {
          await fillWorld(log.store, world, events);
          const live = await startProjections({ store: log.store, databaseUrl, log: quiet });
          await caughtUp(log.store, live);
          await live.stop();
        },
        async replay() {
          const started = performance.now();
          await rebuildReadModels({ store: log.store, databaseUrl, log: quiet });
          return ((await log.store.head()) * 1_000) / (performance.now() - started);
        },
      };
    }

    try {
      const sealed = await stage('sealed', true);
      const plain = await stage('plain', false);
      const results: Result[] = [];
      for (const work of ['append', 'replay'] as const) {
        const rates: Rates = { sealed: [], plain: [] };
        if (work === 'replay') for (const each of [sealed, plain]) await each.fill();
        for (let count = 1; count <= rounds; count += 1) {
          rates.sealed.push(await sealed[work]());
          rates.plain.push(await plain[work]());
          const last = [rates.sealed, rates.plain].map((each) => round(each.at(-1)!, 0));
          say(`sealing, ${work} ${count}/${rounds}: sealed ${last[0]}, plain ${last[1]} per second`);
        }
        results.push(resultOf(work, rates, 'events/s'));
      }
      await sealed.close();
      await plain.close();
      results.push(await talkOnBoth(options));
      return results;
    } finally {
      await postgres.stop();
    }
  },
};
