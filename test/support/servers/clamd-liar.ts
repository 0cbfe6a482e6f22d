import { type AddressInfo, createServer, type Socket } from 'node:net';

/** The faulty behaviour of a scan: called on the connection, and when all bytes have arrived. */
export interface Lie {
  onConnection?: (socket: Socket) => void;
  onBytes?: (socket: Socket) => void;
}

const END_OF_STREAM = Buffer.alloc(4);
/** The answers that the probes of a scanner expect, in order. */
const RIGHT = ['Eicar-Test', 'Heuristics.Encrypted.Zip', 'Heuristics.Limits.Exceeded.MaxRecursion'];

/** A server that answers the probes like clamd, and then misbehaves on every scan. */
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
    /** The number of scans so far, including probes. */
    scans: () => scans,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
