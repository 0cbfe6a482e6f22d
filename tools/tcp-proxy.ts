import { once } from 'node:events';
import { type AddressInfo, type Socket, createConnection, createServer } from 'node:net';

/** A proxy in front of a local server that simulates all failures of a network. */
export interface TcpProxy {
  port: number;
  /**
   * Stops all traffic in both directions without notice: open connections stay, and their data and their ends
   * are held back. New connections are accepted and get no data.
   */
  blackHole(): void;
  /**
   * Lets everything pass again, first the data that was held back: lost packets are sent again, so they
   * arrive late, not never.
   */
  heal(): void;
  /** Resets every open connection, and accepts new ones as before. */
  cut(): void;
  /** Resets every connection and accepts no more. */
  close(): Promise<void>;
}

/**
 * Starts a proxy in front of the port `to`. Data in transit is limited by the sockets' buffers: a sender of
 * more has to wait.
 */
export async function startTcpProxy({ to }: { to: number }): Promise<TcpProxy> {
  const open = new Set<Socket>();
  /** Actions that wait for the end of a black hole; undefined while there is none. */
  let waiting: (() => void)[] | undefined;
  const whenOpen = (action: () => void) => void (waiting ? waiting.push(action) : action());

  /** One direction of one connection. */
  function pass(from: Socket, towards: Socket): void {
    open.add(from);
    from.on('data', (bytes) => {
      if (!towards.write(bytes)) from.pause();
    });
    towards.on('drain', () => void (waiting ?? from.resume()));
    from.on('end', () => whenOpen(() => towards.end()));
    from.on('error', () => whenOpen(() => towards.resetAndDestroy()));
    from.on('close', () => whenOpen(() => towards.destroySoon()));
    from.on('close', () => open.delete(from));
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (near) => {
    open.add(near);
    near.on('error', () => undefined);
    near.on('close', () => open.delete(near));
    whenOpen(() => {
      if (near.destroyed) return;
      const far = createConnection({ port: to, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
      pass(near, far);
      pass(far, near);
      near.resume();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    blackHole() {
      waiting ??= [];
      for (const socket of open) socket.pause();
    },
    heal() {
      const late = waiting ?? [];
      waiting = undefined;
      for (const action of late) action();
      for (const socket of open) socket.resume();
    },
    cut() {
      for (const socket of open) socket.resetAndDestroy();
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      proxy.cut();
      await closed;
    },
  };
  return proxy;
}
