import type { Position } from '../../events/event-store.ts';
import type { UserId } from '../../events/ids.ts';
import type { WhoIsOnline } from '../presence/who-is-online.ts';
import type { ChatSocket, User } from '../connection/connection.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Send } from '../delivery/write-frames.ts';
import type { ReceivedTracker } from '../presence/received.ts';

/** Calls `work` every `ms` milliseconds until the gateway closes. */
export type Every = (ms: number, work: () => void | Promise<void>) => void;

/** The parts that differ between a lone node and a node of a cluster. */
export interface Node {
  /** Sends to the sockets of all nodes. */
  send: Send;
  delivery: Delivery;
  tracker: ReceivedTracker;
  whoIsOnline: WhoIsOnline;
  /** Resolves with true if the user has sockets on other nodes; absent for a lone node. */
  isElsewhere?: (userId: UserId) => Promise<boolean>;
  /**
   * Resolves with true if a handshake keeps the user within the limit on all nodes together; absent for a
   * lone node.
   */
  admits?: (user: User, handshake: ChatSocket) => Promise<boolean>;
  /** Notes that the user's number of sockets has changed. */
  changed(userId: UserId): void;
  /** Returns the position that the rooms of a new socket must reflect. The node receives later events. */
  position(): Position | Promise<Position>;
  /** Resolves once this node receives what is sent to its rooms. */
  hearing(): Promise<void> | undefined;
  start(every: Every): Promise<void>;
  close(): Promise<void>;
}
