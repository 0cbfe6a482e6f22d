import { setTimeout as pause } from 'node:timers/promises';

/** Options for a process that `collectGarbage` can reach, without the announcement on stderr. */
export const inspectable = (port: number) => [`--inspect=127.0.0.1:${port}`, '--inspect-publish-uid=http'];

/** Makes a process with these options collect its garbage, so that only needed memory remains. */
export async function collectGarbage(inspectPort: number): Promise<void> {
  const targets = (await (await fetch(`http://127.0.0.1:${inspectPort}/json/list`)).json()) as {
    webSocketDebuggerUrl: string;
  }[];
  const socket = new WebSocket(targets[0]?.webSocketDebuggerUrl ?? '');
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  for (let id = 1; id <= 3; id += 1) {
    const done = new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }));
    socket.send(JSON.stringify({ id, method: 'HeapProfiler.collectGarbage' }));
    await done;
  }
  socket.close();
  await pause(500);
}
