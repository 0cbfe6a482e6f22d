import { type Bench, type Result, quantile, round } from './bench.ts';
import { startBareServer, startClients } from './children.ts';
import { membersOf, startFilledServer } from './running-server.ts';
import { makeWorld } from './world.ts';

const TARGETS = { p50: 5, p99: 20 };

/** Measures one message at a time, from sending to the arrival at another member, without other load. */
export const idle: Bench = {
  name: 'idle',
  async run({ quick, nodeArgs, say }) {
    const messages = quick ? 150 : 1_000;
    const running = await startFilledServer((store) => makeWorld(store, { groups: 1, members: 2 }), nodeArgs);
    const bare = await startBareServer();
    const clients = { project: startClients(), peer: startClients() };
    try {
      const members = await membersOf(running);
      await clients.project.connect(running.server.url, members);
      await clients.peer.connect(bare.url, members.map(bare.admit));
      const measure = async (who: 'project' | 'peer') => {
        await clients[who].whisper(50);
        return (await clients[who].whisper(messages)).receiveMs;
      };
      const peer = await measure('peer');
      const project = await measure('project');
      say(`idle: p50 ${round(quantile(project, 0.5))} ms, p99 ${round(quantile(project, 0.99))} ms`);
      const line = (name: 'p50' | 'p99', share: number): Result => {
        const [mine, theirs] = [quantile(project, share), quantile(peer, share)];
        return {
          bench: 'idle',
          case: name,
          project: round(mine),
          peer: round(theirs),
          ratio: round(mine / theirs),
          unit: 'ms',
          target: TARGETS[name],
          rule: 'project <= target',
          ok: mine <= TARGETS[name],
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
