import { type Bench, type Result, round } from './bench.ts';
import type { Storm } from './chat-clients.ts';
import { type Clients, startBareServer, startClients } from './children.ts';
import { collectGarbage, inspectable } from './inspector.ts';
import type { Member } from './member.ts';
import { residentBytes } from './process-stats.ts';
import { membersOf, startFilledServer } from './running-server.ts';
import { freePort } from '../tools/server-process.ts';
import { makeWorld } from './world.ts';

const MEMBERS = 20;
/** Sockets connected before the first measurement, so that code and caches needed once do not count. */
const WARM_UP = 20;
const TARGETS = { memory: 1, storm: 1.5 };

/**
 * Measures the resident memory per idle socket in its group, after a garbage collection, and then the time that all
 * of them need to come back at once: into their rooms, and on the project with an answer to `sync`.
 */
export const connections: Bench = {
  name: 'connections',
  async run({ quick, say }) {
    const sockets = quick ? 1_000 : 10_000;
    const rounds = quick ? 1 : 3;
    const ports = { project: await freePort(), peer: await freePort() };
    const running = await startFilledServer(
      (store) => makeWorld(store, { groups: Math.ceil((sockets + WARM_UP) / MEMBERS), members: MEMBERS }),
      inspectable(ports.project),
    );
    const bare = await startBareServer({ execArgv: inspectable(ports.peer) });
    const clients = { project: startClients(), peer: startClients() };
    try {
      const members = (await membersOf(running)).slice(0, sockets + WARM_UP);
      const project = await bytesPerSocket(
        { ...running.server, inspectPort: ports.project },
        { clients: clients.project, members },
      );
      const peer = await bytesPerSocket(
        { ...bare, inspectPort: ports.peer },
        { clients: clients.peer, members: members.map(bare.admit) },
      );
      say(
        `connections: project ${round(project / 1_024, 1)}, bare Socket.IO ${round(peer / 1_024, 1)} KiB a socket`,
      );
      const storms = { project: [] as Storm[], peer: [] as Storm[] };
      for (let count = 1; count <= rounds; count += 1) {
        storms.peer.push(await clients.peer.storm(false));
        storms.project.push(await clients.project.storm(true));
        const [mine, theirs] = [storms.project, storms.peer].map((each) =>
          round(each.at(-1)!.milliseconds, 0),
        );
        say(`connections ${count}/${rounds}: all are back after ${mine} ms, on bare Socket.IO ${theirs}`);
      }
      return [
        lineOf('memory', {
          ...{ project: project / 1_024, peer: peer / 1_024, digits: 1, unit: 'KiB/socket', sockets },
        }),
        {
          ...lineOf('storm', {
            ...{ project: shortest(storms.project), peer: shortest(storms.peer), digits: 0 },
            ...{ unit: 'ms until all are back', sockets: members.length },
          }),
          rounds: storms,
        },
      ];
    } finally {
      await Promise.all([clients.project.stop(), clients.peer.stop(), bare.stop()]);
      await running.stop();
    }
  },
};

const shortest = (storms: Storm[]) => Math.min(...storms.map(({ milliseconds }) => milliseconds));

function lineOf(
  name: keyof typeof TARGETS,
  figures: { project: number; peer: number; digits: number; unit: string; sockets: number },
): Result {
  const { project, peer, digits, ...shown } = figures;
  const ratio = project / peer;
  return {
    ...{ bench: 'connections', case: name, project: round(project, digits), peer: round(peer, digits) },
    ...{ ratio: round(ratio), ...shown, target: TARGETS[name], rule: 'ratio <= target' },
    ok: ratio <= TARGETS[name],
  };
}

/** Connects the members, and leaves them connected. */
async function bytesPerSocket(
  { url, pid, inspectPort }: { url: string; pid: number; inspectPort: number },
  { clients, members }: { clients: Clients; members: Member[] },
): Promise<number> {
  const settled = async () => {
    await collectGarbage(inspectPort);
    return residentBytes(pid);
  };
  await clients.connect(url, members.slice(0, WARM_UP));
  const before = await settled();
  await clients.connect(url, members.slice(WARM_UP));
  const after = await settled();
  return (after - before) / (members.length - WARM_UP);
}
