import { type Bench, type Result, quantile, round } from './bench.ts';
import { startBareServer, startClients } from './children.ts';
import { membersOf, startFilledServer } from './running-server.ts';
import { makeWorld } from './world.ts';

const ROUNDS = 5;
/** Of the ratio, and in milliseconds. */
const TARGETS = { p50: 3, p99: 20 };

/**
 * Measures one message at a time, from sending to the arrival at another member, without other load, on both sides
 * in turn.
 */
export const idle: Bench = {
  name: 'idle',
  async run({ quick, nodeArgs, say }) {
    const messages = quick ? 100 : 1_000;
    const running = await startFilledServer((store) => makeWorld(store, { groups: 1, members: 2 }), nodeArgs);
    const bare = await startBareServer();
    const clients = { project: startClients(), peer: startClients() };
    try {
      const members = await membersOf(running);
      await clients.project.connect(running.server.url, members);
      await clients.peer.connect(bare.url, members.map(bare.admit));
      const measured = { project: [] as number[], peer: [] as number[] };
      const turns = ['peer', 'project'] as const;
      for (const who of turns) await clients[who].whisper(50);
      for (let count = 0; count < ROUNDS; count += 1)
        for (const who of turns)
          measured[who].push(...(await clients[who].whisper(messages / ROUNDS)).receiveMs);
      const { project, peer } = measured;
      say(`idle: p50 ${round(quantile(project, 0.5))} ms, p99 ${round(quantile(project, 0.99))} ms`);
      const line = (name: 'p50' | 'p99', share: number): Result => {
        const [mine, theirs] = [quantile(project, share), quantile(peer, share)];
        const isRelative = name === 'p50';
        return {
          bench: 'idle',
          case: name,
          project: round(mine),
          peer: round(theirs),
          ratio: round(mine / theirs),
          unit: 'ms',
          target: TARGETS[name],
          rule: isRelative ? 'ratio <= target' : 'project <= target',
          ok: (isRelative ? mine / theirs : mine) <= TARGETS[name],
          messages,
        };
      };
      return [line('p50', 0.5), line('p99', 0.99)];
    } finally {
      await Promise.all([clients.project.stop(), clients.peer.stop(), bare.stop()]);
      await running.stop();
    }
  },
};
