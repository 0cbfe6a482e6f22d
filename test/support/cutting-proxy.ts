import { type Socket, createConnection, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A way to a server that can be cut in silence, as by a phone that goes out of reach: nobody hears that it has. */
export async function cuttingProxy(serverUrl: string) {
  const { hostname, port } = new URL(serverUrl);
  const sockets: Socket[] = [];
  let isCut = false;
  const server = createServer((near) => {
    const far = createConnection(Number(port), hostname);
    sockets.push(near, far);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (bytes) => void (isCut || to.write(bytes)));
      from.on('close', () => void (isCut || to.destroy()));
      from.on('error', () => {});
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** From now on nothing passes. */
    cut: () => void (isCut = true),
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
