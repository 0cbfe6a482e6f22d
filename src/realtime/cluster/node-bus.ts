import type { ServerOptions } from 'socket.io';

/**
 * The port that carries what one node sends to the sockets of all others. Like every push this is a hint: `heads` and `sync`
 * repair what it loses.
 */
export interface NodeBus {
  /** Socket.IO's adapter for the server of this node. It does not receive what this node itself sent. */
  adapter: NonNullable<ServerOptions['adapter']>;
  /** Resolves once this node is subscribed to all rooms that it has now; after a second at the latest. */
  hearing(): Promise<void>;
  /** Resolves once everything sent so far has been taken over. Rejects when some of it was lost. */
  takenOver(): Promise<void>;
  /** Calls back when this node receives from the others again after an outage: it may have missed anything. */
  onReturn(listener: () => void): void;
  /** Why the bus does not work now; undefined while it does. */
  failure(): string | undefined;
}
