import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import type { Revocations, Session } from '../../auth/session.ts';
import type { AccessKeys } from '../../auth/tokens/access-keys.ts';
import type { Position } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import { type Rate, TokenBucket } from '../../kit/token-bucket.ts';
import type { Wire } from '../delivery/wire.ts';
import type { ClientToServerEvents, ServerToClientEvents, SessionEnd } from './protocol.ts';

export type ChatServer = Server<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, Connection>;
export type ChatSocket = Socket<ClientToServerEvents, ServerToClientEvents, DefaultEventsMap, Connection>;

/** Maximum number of waiting events of one user. A client may ask about each of a thousand groups at once. */
const MAX_WAITING = 1_024;
const MAX_WAITING_BYTES = 4_194_304;
/** Typing beyond this rate is dropped silently. */
const TYPING = { perSecond: 4, burst: 10 };

/** A user with sockets on this node, or until a moment ago. */
export interface User {
  readonly id: UserId;
  readonly sockets: Set<ChatSocket>;
  /** Handshakes that have a place and are not sockets yet, in the order in which they got it. */
  readonly arriving: Set<ChatSocket>;
  /** Number of events that wait for their turn, on all sockets. */
  waiting: number;
  waitingBytes: number;
  /** Number of changes of this user's memberships that the broadcaster has handled. */
  membershipChanges: number;
  /** Position of the last known change of its place in a company; 0 without one. */
  placeChangedAt: Position;
  /** Runs while the user may still come back without an announcement. */
  absence: NodeJS.Timeout | undefined;
}

/** The state of one socket. It is stored in `socket.data`. */
export class Connection {
  session: Session;
  readonly user: User;
  readonly wire: Wire;
  /** The user's groups that this socket has left by `leaveRoom`. */
  readonly leftRooms = new Set<GroupId>();
  /** True once the end of the present token has been announced. */
  isWarned = false;
  /** The time when it was put into its rooms. This and the following times are in ms since 1970. */
  arrivedAt: number | undefined;
  /** The time of the ping that has not been answered. */
  pingedAt: number | undefined;
  /** Everything that was sent up to this time has arrived. */
  receivedUntil: number | undefined;
  readonly #refusals: Rate;
  readonly #sizes: number[] = [];
  #typing: TokenBucket | undefined;
  #refused: TokenBucket | undefined;
  #lane: Promise<void>;
  #open!: () => void;

  constructor(session: Session, user: User, wire: Wire, refusals: Rate) {
    this.session = session;
    this.user = user;
    this.wire = wire;
    this.#refusals = refusals;
    this.#lane = new Promise((resolve) => (this.#open = resolve));
  }

  /** Lets the waiting events run, once the socket is in its rooms. */
  open(): void {
    this.#open();
  }

  /** Runs the work for a client's events in their order. Returns false when too much is waiting already. */
  enqueue(bytes: number, work: () => Promise<void>): boolean {
    const { user } = this;
    if (user.waiting >= MAX_WAITING || user.waitingBytes + bytes > MAX_WAITING_BYTES) return false;
    user.waiting += 1;
    user.waitingBytes += bytes;
    this.#lane = this.#lane.then(async () => {
      try {
        await work();
      } finally {
        user.waiting -= 1;
        user.waitingBytes -= bytes;
      }
    });
    return true;
  }

  /**
   * Records the size of an event, or of an attachment of the last one. Socket.IO delivers each a little
   * later, in the same order.
   */
  received(data: unknown): void {
    if (typeof data === 'string') this.#sizes.push(data.length);
    else this.#sizes.push((this.#sizes.pop() ?? 0) + (data as Buffer).length);
  }

  /** Returns the size of the event that is being delivered. */
  takeSize(): number {
    return this.#sizes.shift() ?? 0;
  }

  /** Counts something from this socket that was refused or useless. Too much of that ends its connection. */
  wasRefused(): void {
    this.#refused ??= new TokenBucket(this.#refusals);
    if (!this.#refused.take()) this.wire.end('too many refused events');
  }

  /** Returns true if this socket may announce that its user is typing. */
  mayType(): boolean {
    this.#typing ??= new TokenBucket(TYPING);
    return this.#typing.take();
  }
}

const WARNING_MS = 60_000;

/** Time for which a socket stays connected while it is unknown whether its session has ended elsewhere. */
const BLIND_MS = 30_000;

/** What decides how long a session goes on. */
export interface Trust {
  revocations: Pick<Revocations, 'isRevoked'>;
  accessKeys: Pick<AccessKeys, 'find'>;
}

/** Returns the reason why the session may not go on; undefined if it may. Checks memory only, on every event. */
export function sessionFault(
  { expiresAt, sessionId, kid }: Session,
  { revocations, accessKeys }: Trust,
): SessionEnd | undefined {
  if (revocations.isRevoked(sessionId)) return 'TOKEN_REVOKED';
  if (!accessKeys.find(kid)) return 'TOKEN_INVALID';
  return expiresAt <= Date.now() ? 'TOKEN_EXPIRED' : undefined;
}

/**
 * Ends a socket whose session may not go on. A stock client reconnects by itself when its connection is
 * closed, but not when its namespace is: only a session that was revoked gets the latter.
 */
export function endSocket(socket: ChatSocket, code: SessionEnd): void {
  socket.emit('sessionEnded', { code });
  if (code === 'TOKEN_REVOKED') socket.disconnect(true);
  else socket.conn.close();
}

/** Closes every connection of this node. Clients reconnect by themselves. */
export function closeConnections(io: ChatServer): void {
  for (const socket of io.of('/').sockets.values()) socket.conn.close();
}

/**
 * Ends sockets with their sessions, and warns those whose token ends within a minute, or within half of its
 * life where that is shorter. Ends all sockets when this node has had no news of ended sessions for half a
 * minute: they reconnect to nodes that have. Call it every second.
 */
export function sweepSessions(
  io: ChatServer,
  trust: Trust & { revocations: Pick<Revocations, 'staleMs'> },
  accessTokenSeconds: number,
): void {
  const warningMs = Math.min(WARNING_MS, (accessTokenSeconds * 1_000) / 2);
  if (trust.revocations.staleMs() > BLIND_MS) return closeConnections(io);
  for (const socket of io.of('/').sockets.values()) {
    const { data: connection } = socket;
    const { session } = connection;
    const leftMs = session.expiresAt - Date.now();
    const fault = sessionFault(session, trust);
    if (fault) endSocket(socket, fault);
    else if (leftMs <= warningMs && !connection.isWarned) {
      connection.isWarned = true;
      socket.emit('sessionExpiring', { expiresIn: Math.floor(leftMs / 1_000) });
    }
  }
}

/** Closes all sockets of a session at once. */
export function endSession(io: ChatServer, sessionId: string): void {
  for (const socket of io.of('/').sockets.values())
    if (socket.data.session.sessionId === sessionId) endSocket(socket, 'TOKEN_REVOKED');
}
