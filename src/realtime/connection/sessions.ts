import type { Revocations, Session } from '../../auth/session.ts';
import type { ChatServer, ChatSocket } from './connection.ts';

const WARNING_MS = 60_000;

/** Time for which a socket stays connected while it is unknown whether its session has ended elsewhere. */
const BLIND_MS = 30_000;

/** Returns the reason why the session may not go on; undefined if it may. Checks memory only, on every event. */
export function sessionFault(
  { expiresAt, sessionId }: Session,
  revocations: Pick<Revocations, 'isRevoked'>,
): 'TOKEN_EXPIRED' | 'TOKEN_REVOKED' | undefined {
  if (revocations.isRevoked(sessionId)) return 'TOKEN_REVOKED';
  return expiresAt <= Date.now() ? 'TOKEN_EXPIRED' : undefined;
}

/**
 * Ends a socket whose session may not go on. A stock client reconnects by itself when its connection is
 * closed, but not when its namespace is: only a session that was revoked gets the latter.
 */
export function endSocket(socket: ChatSocket, code: 'TOKEN_EXPIRED' | 'TOKEN_REVOKED'): void {
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
  revocations: Pick<Revocations, 'isRevoked' | 'staleMs'>,
  accessTokenSeconds: number,
): void {
  const warningMs = Math.min(WARNING_MS, (accessTokenSeconds * 1_000) / 2);
  if (revocations.staleMs() > BLIND_MS) return closeConnections(io);
  for (const socket of io.of('/').sockets.values()) {
    const { data: connection } = socket;
    const { session } = connection;
    const leftMs = session.expiresAt - Date.now();
    const fault = sessionFault(session, revocations);
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
