import { hasPgbench, measureEmmett, measurePgbench } from './append-peers.ts';
import { type Bench, type Result, best, round } from './bench.ts';
import { openLog } from './log.ts';
import { startPostgres } from './postgres.ts';
import { sender } from './send-message.ts';
import { makeWorld } from './world.ts';

const GROUPS = 1_000;
const IN_FLIGHT = 64;
const EMMETT_WIDTHS = [32, 64];
const TARGETS = { emmett: 8, pgbench: 1.5 };

/**
 * Compares `SendMessage` through the command handler with other event stores' appends and plain inserts:
 * alternating rounds, the best of each.
 */
export const append: Bench = {
  name: 'append',
  async run({ quick, say }) {
    const rounds = quick ? 2 : 5;
    const milliseconds = quick ? 600 : 5_000;
    const postgres = await startPostgres();
    try {
      const log = await openLog(await postgres.createDatabase('project'));
      const emmettUrl = await postgres.createDatabase('emmett');
      const plainUrl = (await hasPgbench()) ? await postgres.createDatabase('plain') : undefined;
      const send = sender(log.store, await makeWorld(log.store, { groups: GROUPS, members: 5 }));
      await send(IN_FLIGHT, 1_000);
      const project: number[] = [];
      const emmett: number[] = [];
      const pgbench: number[] = [];
      for (let count = 1; count <= rounds; count += 1) {
        project.push(await send(IN_FLIGHT, milliseconds));
        for (const width of EMMETT_WIDTHS)
          emmett.push(await measureEmmett(emmettUrl, { width, streams: GROUPS, milliseconds }));
        if (plainUrl !== undefined)
          pgbench.push(await measurePgbench(plainUrl, Math.ceil(milliseconds / 1_000)));
        const last = [project, emmett, pgbench].map((rates) => round(rates.at(-1) ?? 0, 0));
        say(
          `append ${count}/${rounds}: project ${last[0]}, emmett ${last[1]}, pgbench ${last[2]} per second`,
        );
      }
      await log.close();
      const compare = (peerName: string, rates: number[], target: number): Result => {
        const ratio = best(project) / best(rates);
        return {
          bench: 'append',
          case: peerName,
          project: round(best(project), 0),
          peer: round(best(rates), 0),
          ratio: round(ratio),
          unit: 'messages/s',
          target,
          rule: 'ratio >= target',
          ok: ratio >= target,
          rounds: {
            project: project.map((rate) => round(rate, 0)),
            peer: rates.map((rate) => round(rate, 0)),
          },
        };
      };
      return [
        compare('emmett-postgresql', emmett, TARGETS.emmett),
        ...(plainUrl === undefined ? [] : [compare('pgbench', pgbench, TARGETS.pgbench)]),
      ];
    } finally {
      await postgres.stop();
    }
  },
};
