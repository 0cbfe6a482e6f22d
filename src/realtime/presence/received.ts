import { LRUCache } from 'lru-cache';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { ChatServer, ChatSocket, Connection } from '../connection/connection.ts';
import { type Attendance, type OnlineRegistry, type Received, hasSockets } from './online-registry.ts';
import type { Users } from './users.ts';
import type { EngineSocket } from '../delivery/wire.ts';

/** An event is sent a little later than its time shows: after a slow commit and the broadcaster's read. */
const BROADCAST_MS = 1_000;
/** Time for which the events received by a closed socket are remembered. */
const REMEMBER_MS = 60_000;

/** At most this many closed sockets are remembered per user, so that a flapping client cannot grow memory. */
const MOST_REMEMBERED = 20;

/** The events received by a socket that has closed. */
interface Remembered extends Received {
  goneAt: number;
}

export interface ReceivedOptions {
  now?: () => number;
  /** Returns the time up to which events have been sent to the sockets of this node. The present time by default. */
  sentUntil?: () => number;
  /** Called when a user has received more. */
  onReceived?: (userId: UserId) => void;
}

export interface ReceivedTracker {
  /** Tracks a socket that is open, but not yet in its rooms. */
  opened(socket: ChatSocket): void;
  /** Handles a socket that has entered its rooms: from now on events are sent to it. */
  arrived(socket: ChatSocket): void;
  /** Handles a socket that has closed. */
  gone(socket: ChatSocket): void;
  /** Forgets closed sockets that are too old. Call it at intervals. */
  sweep(): void;
  /**
   * Returns true if an event of a group at `at`, in ms since 1970, was sent to a socket of the user and is
   * known to have arrived. Returns false for events before the socket was in its rooms, because they were not
   * sent.
   */
  hasReceived(userId: UserId, at: number, groupId: GroupId): boolean;
  /** Returns the same data for use by other nodes. */
  received(userId: UserId): Received[];
  /** Records that events up to now may not have been sent. */
  missed(): void;
}

/** Returns true if an event of a group at that time is among the received ones. */
const isAmong = ({ from, until, leftRooms }: Received, at: number, groupId: GroupId): boolean =>
  from <= at && at <= until - BROADCAST_MS && !leftRooms.includes(groupId);

/**
 * Tracks what has arrived, by the pings that Engine.IO sends anyway. All output of a connection leaves in one
 * order, so everything sent before a ping has arrived once the ping is answered. An open socket alone proves
 * nothing: a phone out of reach keeps one until a ping times out.
 */
export function trackReceived(io: ChatServer, users: Users, options: ReceivedOptions = {}): ReceivedTracker {
  const { now = Date.now, sentUntil = now, onReceived = () => {} } = options;
  const connections = new WeakMap<EngineSocket, Connection>();
  /** In the order in which the last socket of each user closed. */
  const remembered = new Map<UserId, Remembered[]>();

  io.engine.on('flush', (conn: EngineSocket, packets: readonly { type: string }[]) => {
    const connection = connections.get(conn);
    // A connection that was cut sends nothing more, so no pings either.
    if (!connection || connection.wire.isCut || !packets.some(({ type }) => type === 'ping')) return;
    connection.pingedAt = sentUntil();
  });

  /** One function for all connections: a closure for each would cost memory for every idle socket. */
  function answered(this: EngineSocket): void {
    const connection = connections.get(this);
    // A pong without a ping proves nothing.
    if (connection?.pingedAt === undefined) return;
    connection.receivedUntil = connection.pingedAt;
    connection.pingedAt = undefined;
    onReceived(connection.user.id);
  }

  const isFresh = ({ goneAt }: Remembered) => now() - goneAt < REMEMBER_MS;

  function remember(connection: Connection): void {
    const received = receivedBy(connection);
    if (!received) return;
    const { id } = connection.user;
    const others = remembered.get(id)?.filter(isFresh) ?? [];
    remembered.delete(id);
    remembered.set(id, [...others.slice(1 - MOST_REMEMBERED), { ...received, goneAt: now() }]);
  }

  function* receivedByAll(userId: UserId): Generator<Received> {
    for (const { data } of users.find(userId)?.sockets ?? []) {
      const received = receivedBy(data);
      if (received) yield received;
    }
    for (const each of remembered.get(userId) ?? []) if (isFresh(each)) yield each;
  }

  return {
    opened({ conn, data: connection }) {
      connections.set(conn, connection);
      conn.on('heartbeat', answered);
    },

    arrived({ data: connection }) {
      connection.arrivedAt = now();
    },

    gone({ data: connection }) {
      remember(connection);
    },

    sweep() {
      for (const [userId, all] of remembered) {
        if (all.some(isFresh)) return;
        remembered.delete(userId);
      }
    },

    hasReceived(userId, at, groupId) {
      for (const received of receivedByAll(userId)) if (isAmong(received, at, groupId)) return true;
      return false;
    },

    received: (userId) =>
      [...receivedByAll(userId)].map(({ from, until, leftRooms }) => ({ from, until, leftRooms })),

    missed() {
      for (const { sockets } of users.all())
        for (const { data: connection } of sockets) {
          if (connection.arrivedAt === undefined) continue;
          remember(connection);
          connection.arrivedAt = now();
          connection.pingedAt = undefined;
          connection.receivedUntil = undefined;
        }
    },
  };
}

function receivedBy({ arrivedAt, receivedUntil, leftRooms }: Connection): Received | undefined {
  if (arrivedAt === undefined || receivedUntil === undefined) return undefined;
  return { from: arrivedAt, until: receivedUntil, leftRooms: [...leftRooms] };
}

/** The reachability of some users, at one moment, for the notifications. */
export interface Whereabouts {
  isOnline(userId: UserId): boolean;
  hasReceived(userId: UserId, at: number, groupId: GroupId): boolean;
}

/** Builds the result from the reports of the nodes. */
function reachedBy(attendances: ReadonlyMap<UserId, readonly Attendance[]>): Whereabouts {
  const of = (userId: UserId) => attendances.get(userId) ?? [];
  return {
    isOnline: (userId) => of(userId).some(hasSockets),
    hasReceived: (userId, at, groupId) =>
      of(userId).some(({ received }) => received.some((each) => isAmong(each, at, groupId))),
  };
}

/** Time within which every node reports all its users again to a registry that has lost its memory. */
const SETTLING_MS = 8_000;

/** The nodes report a user at most once a second, so asking more often gives nothing new. */
const FRESH_MS = 1_000;
/** Memory for some 40,000 users, or for fewer with many sockets or many groups left by `leaveRoom`. */
const KEPT_BYTES = 16 * 1_048_576;
const USER_BYTES = 250;
const NODE_BYTES = 150;
const SOCKET_BYTES = 150;
const GROUP_BYTES = 64;

const bytesOfAttendances = (attendances: readonly Attendance[]): number =>
  attendances
    .flatMap(({ received }) => received)
    .reduce(
      (bytes, { leftRooms }) => bytes + SOCKET_BYTES + leftRooms.length * GROUP_BYTES,
      USER_BYTES + attendances.length * NODE_BYTES,
    );

/**
 * Creates the reach of users on the other nodes. `look` rejects when the registry does not answer or lacks
 * reports.
 */
export function whereaboutsElsewhere(registry: Pick<OnlineRegistry, 'elsewhere' | 'since'>) {
  const recent = new LRUCache<UserId, readonly Attendance[]>({
    maxSize: KEPT_BYTES,
    sizeCalculation: bytesOfAttendances,
    ttl: FRESH_MS,
  });
  return {
    async look(userIds: readonly UserId[]): Promise<Whereabouts> {
      const attendances = new Map<UserId, readonly Attendance[]>();
      for (const userId of userIds) {
        const known = recent.get(userId);
        if (known) attendances.set(userId, known);
      }
      const unknown = userIds.filter((userId) => !attendances.has(userId));
      const [since, reported] = await Promise.all([registry.since(), registry.elsewhere(unknown)]);
      if (Date.now() - since < SETTLING_MS) throw new Error('not all nodes have reported their users yet');
      for (const userId of unknown) {
        attendances.set(userId, reported.get(userId) ?? []);
        recent.set(userId, reported.get(userId) ?? []);
      }
      return reachedBy(attendances);
    },
  };
}
