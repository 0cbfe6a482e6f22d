import type { Position } from '../../events/event-store.ts';
import type { UserId } from '../../events/ids.ts';
import type { Attendances } from '../presence/who-is-online.ts';
import type { ChatSocket, User } from '../connection/connection.ts';
import type { Delivery } from '../delivery/delivery.ts';
import type { Send } from '../delivery/write-frames.ts';
import type { Reach } from '../presence/received.ts';

/** Calls back each so many milliseconds until the gateway closes. */
export type Every = (ms: number, work: () => void | Promise<void>) => void;

/** What is done differently by the only node and by one of several. */
export interface Node {
  /** Reaches the sockets of all nodes. */
  send: Send;
  delivery: Delivery;
  reach: Reach;
  attendances: Attendances;
  /** Whether the user has sockets on other nodes; absent where there are none. */
  isElsewhere?: (userId: UserId) => Promise<boolean>;
  /** Whether the handshake leaves the user within the limit on all nodes together; absent where there are no others. */
  admits?: (user: User, handshake: ChatSocket) => Promise<boolean>;
  /** The user has a socket more or less. */
  changed(userId: UserId): void;
  /** What happened up to then, the rooms of new sockets have to show; of what happens later they are told. */
  position(): Position | Promise<Position>;
  /** Resolves once this node hears what is told to the rooms that it has. */
  hearing(): Promise<void> | undefined;
  start(every: Every): Promise<void>;
  close(): Promise<void>;
}
