import { type Bench, round } from './bench.ts';
import { STEADY_AFTER_MS, measureTalk } from './chat.ts';
import { startBareServer, startClients } from './children.ts';
import { membersOf, startFilledServer } from './running-server.ts';
import { makeWorld } from './world.ts';

const ROOMS = 4;
const SIZES = { small: 20, large: 200 };
const MORE = SIZES.large - SIZES.small;
/** Messages a second in all rooms of one size, which no side takes a core for. */
const OFFERED = 160;
/** At the first, when the compilers are still busy. */
const WARM_UP = { milliseconds: 1_000, offered: 500 };
const TARGET = 2;

type Size = keyof typeof SIZES;

/**
 * Measures the CPU time of one more delivery: the difference that a message makes to the server's process in
 * a large and in a small room, for each of the members that the large room has more. Both sides get the same
 * messages a second, in turn, so that neither has larger batches.
 */
export const fanout: Bench = {
  name: 'fanout',
  async run({ quick, nodeArgs, say }) {
    const rounds = quick ? 2 : 4;
    const milliseconds = quick ? 1_000 : 10_000;
    // A quick run is over before the notifier begins to decide.
    const warmUpMs = quick ? { project: 0, peer: 0 } : { project: STEADY_AFTER_MS, peer: 2_000 };
    const running = await startFilledServer(async (store) => {
      const small = await makeWorld(store, { groups: ROOMS, members: SIZES.small });
      return { small, large: await makeWorld(store, { groups: ROOMS, members: SIZES.large }) };
    }, nodeArgs);
    const bare = await startBareServer({ file: 'bare-ws-server.ts' });
    const { filled, tokenOf } = running;
    const lines = (['small', 'large'] as const).flatMap((size) =>
      (['peer', 'project'] as const).map((of) => ({ of, size, clients: startClients() })),
    );
    /** CPU time per message in microseconds, of each round. */
    const costs = {
      project: { small: [] as number[], large: [] as number[] },
      peer: { small: [] as number[], large: [] as number[] },
    };
    try {
      for (const { of, size, clients } of lines) {
        const members = await membersOf({ filled: filled[size], tokenOf });
        if (of === 'project') await clients.connect(running.server.url, members);
        else await clients.connect(bare.url, members.map(bare.admit));
        await clients.talk(WARM_UP.milliseconds, WARM_UP.offered);
      }
      for (let count = 1; count <= rounds; count += 1) {
        // There and back, so that a server that becomes faster or slower counts for both sizes.
        for (const { of, size, clients } of count % 2 === 1 ? lines : lines.toReversed()) {
          const { pid } = of === 'project' ? running.server : bare;
          const times = { warmUpMs: warmUpMs[of], milliseconds, offered: OFFERED };
          costs[of][size].push((await measureTalk(clients, { pid }, times)).serverCpuPerMessage);
        }
        const told = ({ small, large }: Record<Size, number[]>) => `${small.at(-1)} and ${large.at(-1)}`;
        say(
          `fanout ${count}/${rounds}: project ${told(costs.project)}, bare ws ${told(costs.peer)} µs/message to ${SIZES.small} and ${SIZES.large}`,
        );
      }
      const [project, peer] = [perDelivery(costs.project), perDelivery(costs.peer)];
      const ratio = project / peer;
      return [
        {
          ...{ bench: 'fanout', project: round(project), peer: round(peer), ratio: round(ratio) },
          ...{ unit: 'µs of CPU/delivery', target: TARGET, rule: 'ratio <= target', ok: ratio <= TARGET },
          ...{ rooms: ROOMS, members: SIZES, offered: OFFERED, rounds: costs },
        },
      ];
    } finally {
      await Promise.all(lines.map(({ clients }) => clients.stop()));
      await bare.stop();
      await running.stop();
    }
  },
};

const perDelivery = ({ small, large }: Record<Size, number[]>) => (mean(large) - mean(small)) / MORE;

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
