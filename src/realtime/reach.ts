import type { GroupId, UserId } from '../events/ids.ts';
import type { ChatServer, ChatSocket, Connection } from './connection.ts';
import type { Users } from './users.ts';
import type { EngineSocket } from './wire.ts';

/** What happens is sent a little later than its time says: after a slow commit, and when the broadcaster hears of it. */
const BROADCAST_MS = 1_000;
/** For so long what a socket has received is remembered after it has gone. */
const REMEMBER_MS = 60_000;

/** Everything that happened between two moments has arrived, but for some groups; both are in ms since 1970. */
interface Received {
  from: number;
  until: number;
  /** What the client does not want to hear it is not sent. */
  unheard: ReadonlySet<GroupId>;
}
/** The same for a socket that has gone since. */
interface Remembered extends Received {
  goneAt: number;
}

export interface Reach {
  /** A socket is there, but not yet in its rooms. */
  opened(socket: ChatSocket): void;
  /** A socket is in its rooms: from now on it is sent what happens. */
  arrived(socket: ChatSocket): void;
  /** A socket has gone. */
  gone(socket: ChatSocket): void;
  /** Forgets what is too old. To be called now and then. */
  sweep(): void;
  /**
   * Whether what happened in a group at `at`, in ms since 1970, was sent to a socket of the user and is known to have arrived. False
   * for what happened before the socket was in its rooms: it was not sent.
   */
  hasReceived(userId: UserId, at: number, groupId: GroupId): boolean;
}

/**
 * Knows what has arrived from the pings that Engine.IO sends anyway. Everything for a connection leaves in one order, so
 * what was sent before a ping has arrived once the ping is answered. An open socket alone says nothing: a phone out of
 * reach keeps one until a ping times out.
 */
export function trackReach(io: ChatServer, users: Users, now: () => number = Date.now): Reach {
  const connections = new WeakMap<EngineSocket, Connection>();
  /** In the order in which the last socket of each user went. */
  const remembered = new Map<UserId, Remembered[]>();

  io.engine.on('flush', (conn: EngineSocket, packets: readonly { type: string }[]) => {
    const connection = connections.get(conn);
    // What is cut sends no more, and a ping least of all.
    if (!connection || connection.wire.isCut || !packets.some(({ type }) => type === 'ping')) return;
    connection.pingedAt = now();
  });

  /** One function for all connections: a closure for each would be memory of every idle socket. */
  function answered(this: EngineSocket): void {
    const connection = connections.get(this);
    // A pong that nobody asked for proves nothing.
    if (connection?.pingedAt === undefined) return;
    connection.receivedUntil = connection.pingedAt;
    connection.pingedAt = undefined;
  }

  const isIn = ({ from, until, unheard }: Received, at: number, groupId: GroupId) =>
    from <= at && at <= until - BROADCAST_MS && !unheard.has(groupId);
  const isFresh = ({ goneAt }: Remembered) => now() - goneAt < REMEMBER_MS;

  return {
    opened({ conn, data: connection }) {
      connections.set(conn, connection);
      conn.on('heartbeat', answered);
    },

    arrived({ data: connection }) {
      connection.arrivedAt = now();
    },

    gone({ data: connection }) {
      const received = receivedBy(connection);
      if (!received) return;
      const { id } = connection.user;
      const others = remembered.get(id)?.filter(isFresh) ?? [];
      remembered.delete(id);
      remembered.set(id, [...others, { ...received, goneAt: now() }]);
    },

    sweep() {
      for (const [userId, all] of remembered) {
        if (all.some(isFresh)) return;
        remembered.delete(userId);
      }
    },

    hasReceived(userId, at, groupId) {
      for (const { data } of users.find(userId)?.sockets ?? []) {
        const received = receivedBy(data);
        if (received && isIn(received, at, groupId)) return true;
      }
      return remembered.get(userId)?.some((each) => isFresh(each) && isIn(each, at, groupId)) ?? false;
    },
  };
}

function receivedBy({ arrivedAt, receivedUntil, unheard }: Connection): Received | undefined {
  if (arrivedAt === undefined || receivedUntil === undefined) return undefined;
  return { from: arrivedAt, until: receivedUntil, unheard };
}
