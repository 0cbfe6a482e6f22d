import { type Bench, round } from './bench.ts';
import { startBareServer, startClients } from './children.ts';
import { collectGarbage, inspectable } from './inspector.ts';
import type { Member } from './member.ts';
import { residentBytes } from './process-stats.ts';
import { membersOf, startFilledServer } from './running-server.ts';
import { freePort } from '../tools/server-process.ts';
import { makeWorld } from './world.ts';

const MEMBERS = 20;
/** Sockets connected before the first measurement, so that code and caches needed once do not count. */
const WARM_UP = 20;
const TARGET = 2;

/** Measures the resident memory per idle socket in its group, after a garbage collection. */
export const connections: Bench = {
  name: 'connections',
  async run({ quick, say }) {
    const sockets = quick ? 300 : 2_000;
    const ports = { project: await freePort(), peer: await freePort() };
    const running = await startFilledServer(
      (store) => makeWorld(store, { groups: Math.ceil((sockets + WARM_UP) / MEMBERS), members: MEMBERS }),
      inspectable(ports.project),
    );
    const bare = await startBareServer(inspectable(ports.peer));
    try {
      const members = await membersOf(running);
      const project = await bytesPerSocket(
        { ...running.server, inspectPort: ports.project },
        members,
        sockets,
      );
      const peer = await bytesPerSocket(
        { ...bare, inspectPort: ports.peer },
        members.map(bare.admit),
        sockets,
      );
      const ratio = project / peer;
      say(
        `connections: project ${round(project / 1_024, 1)}, bare Socket.IO ${round(peer / 1_024, 1)} KiB a socket`,
      );
      return [
        {
          bench: 'connections',
          project: round(project / 1_024, 1),
          peer: round(peer / 1_024, 1),
          ratio: round(ratio),
          unit: 'KiB/socket',
          target: TARGET,
          rule: 'ratio <= target',
          ok: ratio <= TARGET,
          sockets,
        },
      ];
    } finally {
      await bare.stop();
      await running.stop();
    }
  },
};

async function bytesPerSocket(
  { url, pid, inspectPort }: { url: string; pid: number; inspectPort: number },
  members: Member[],
  sockets: number,
): Promise<number> {
  const clients = startClients();
  const settled = async () => {
    await collectGarbage(inspectPort);
    return residentBytes(pid);
  };
  await clients.connect(url, members.slice(0, WARM_UP));
  const before = await settled();
  await clients.connect(url, members.slice(WARM_UP, WARM_UP + sockets));
  const after = await settled();
  await clients.stop();
  return (after - before) / sockets;
}
