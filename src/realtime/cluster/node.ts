import type { Logger } from 'pino';
import type { AggregateLoader } from '../../commands/aggregate-cache.ts';
import type { EventStore, Position } from '../../events/event-store.ts';
import type { Tracing } from '../../kit/tracing.ts';
import type { UserId } from '../../events/ids.ts';
import type { ChatServer, ChatSocket, User } from '../connection/connection.ts';
import { type Broadcaster, startBroadcaster } from '../delivery/broadcaster.ts';
import { type Delivery, deliverHere } from '../delivery/delivery.ts';
import type { NamedFiles } from '../delivery/tell-members.ts';
import type { UnseenBy } from '../delivery/unseen.ts';
import type { Send, WriteFrames } from '../delivery/wire.ts';
import { type ReceivedTracker, trackReceived } from '../presence/received.ts';
import type { Renamed } from '../presence/profile.ts';
import type { Deleted } from '../presence/unread.ts';
import type { Users } from '../presence/users.ts';
import { type WhoIsOnline, whoIsOnlineHere } from '../presence/who-is-online.ts';

/** Calls `work` every `ms` milliseconds until the gateway closes. */
type Every = (ms: number, work: () => void | Promise<void>) => void;

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
  subscribed(): Promise<void> | undefined;
  start(every: Every): Promise<void>;
  close(): Promise<void>;
}

interface LoneNodeDeps {
  io: ChatServer;
  /** Writes to the sockets of this node. */
  writeFrames: WriteFrames;
  /** Writes to the sockets of this node, of hints as many as their rooms bear. */
  write: Send;
  users: Users;
  store: EventStore;
  epoch: string;
  loader: AggregateLoader;
  reenter: (user: User, from: Position) => void;
  deleted: (message: Deleted) => void;
  renamed: (user: Renamed) => void;
  unseenBy: UnseenBy;
  namedFiles: NamedFiles;
  tracing?: Tracing;
  log: Logger;
}

/** Creates the only node, which follows the log for its own sockets. */
export function loneNode(deps: LoneNodeDeps): Node {
  const { io, writeFrames, write, users, store } = deps;
  const delivery = deliverHere({ ...deps, write: writeFrames });
  const tracker = trackReceived(io, users);
  let broadcaster: Broadcaster | undefined;

  return {
    send: write,
    delivery,
    tracker,
    whoIsOnline: whoIsOnlineHere({ users, tracker }),
    changed: () => {},
    position: () => broadcaster?.position() ?? 0,
    subscribed: () => undefined,
    async start() {
      broadcaster = startBroadcaster({ ...deps, delivery, from: await store.head() });
    },
    async close() {
      await broadcaster?.stop();
    },
  };
}
