import { type AddressInfo, createServer, type Socket } from 'node:net';

/** What a liar does with a scan: it is told when the connection is there, and when all bytes have come. */
export interface Lie {
  onConnection?: (socket: Socket) => void;
  onBytes?: (socket: Socket) => void;
}

const END_OF_STREAM = Buffer.alloc(4);
/** What the probes of a scanner want to hear, in their order. */
const RIGHT = ['Eicar-Test', 'Heuristics.Encrypted.Zip', 'Heuristics.Limits.Exceeded.MaxRecursion'];

/** A server that passes for clamd until it has answered the probes rightly, and then lies about every scan. */
export async function startClamdLiar(lie: Lie, options: { version?: string; probes?: string[] } = {}) {
  const { version = 'ClamAV 1.4.6', probes = RIGHT.map((name) => `stream: ${name} FOUND\0`) } = options;
  const sockets = new Set<Socket>();
  let scans = 0;

  function scan(socket: Socket): void {
    const probe = probes[scans];
    scans += 1;
    if (probe === undefined) lie.onConnection?.(socket);
    let last = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      last = Buffer.concat([last, chunk]).subarray(-4);
      if (!last.equals(END_OF_STREAM)) return;
      if (probe === undefined) lie.onBytes?.(socket);
      else socket.end(probe);
    });
  }

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.once('data', (chunk) => {
      if (chunk.toString('latin1').startsWith('zVERSION')) socket.end(`${version}\0`);
      else {
        scan(socket);
        socket.emit('data', chunk.subarray('zINSTREAM\0'.length));
      }
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));

  return {
    url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** How many scans there were, probes included. */
    scans: () => scans,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
