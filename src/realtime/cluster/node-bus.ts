import type { ServerOptions } from 'socket.io';

/**
 * The port that carries what is emitted on one node to the sockets of all the others. It is a hint like every push: what
 * it loses, `heads` and `sync` repair.
 */
export interface NodeBus {
  /** Socket.IO's adapter, for the server of this node. It never hears what this node itself emitted. */
  adapter: NonNullable<ServerOptions['adapter']>;
  /** Resolves once this node hears all rooms that it has now; out of reach, at the latest after a second. */
  hearing(): Promise<void>;
  /** Resolves once everything emitted so far has been taken over. Rejects when some of it was lost. */
  takenOver(): Promise<void>;
  /** Calls back when this node hears the others again after an outage: it may have missed anything. */
  onReturn(listener: () => void): void;
  /** Why nothing passes now; undefined while all is well. */
  failure(): string | undefined;
}
