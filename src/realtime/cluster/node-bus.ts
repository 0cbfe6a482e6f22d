import type { ServerOptions } from 'socket.io';

/**
 * The port that carries packets from one node to the sockets of all others. Like every push they are hints:
 * `heads` and `sync` repair losses.
 */
export interface NodeBus {
  /** Socket.IO's adapter for the server of this node. It does not receive messages of this node itself. */
  adapter: NonNullable<ServerOptions['adapter']>;
  /** Resolves once this node is subscribed to all rooms that it has now; after a second at the latest. */
  subscribed(): Promise<void>;
  /** Resolves once the bus has accepted everything sent so far. Rejects when some of it was lost. */
  takenOver(): Promise<void>;
  /** Calls back when this node receives from the others again after an outage. It may have missed anything. */
  onReturn(listener: () => void): void;
  /** Returns the reason why the bus does not work now; undefined while it does. */
  failure(): string | undefined;
}
