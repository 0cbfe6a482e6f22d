import type { Revocations } from '../auth/session.ts';
import type { ChatServer } from './connection.ts';
import { sessionFault } from './handle-event.ts';

const WARNING_MS = 60_000;

/** For longer than that nobody stays connected whose session may have ended elsewhere. */
const BLIND_MS = 30_000;

/**
 * Ends sockets with their sessions, and warns those whose token ends within a minute. Ends them all when this node has not
 * heard for half a minute which sessions ended: they come back where that is known. To be called each second.
 */
export function sweepSessions(io: ChatServer, revocations: Pick<Revocations, 'isRevoked' | 'staleMs'>): void {
  if (revocations.staleMs() > BLIND_MS) {
    io.local.disconnectSockets(true);
    return;
  }
  for (const socket of io.of('/').sockets.values()) {
    const { data: connection } = socket;
    const { session } = connection;
    const leftMs = session.expiresAt - Date.now();
    if (sessionFault(session, revocations)) socket.disconnect(true);
    else if (leftMs <= WARNING_MS && !connection.isWarned) {
      connection.isWarned = true;
      socket.emit('sessionExpiring', { expiresIn: Math.floor(leftMs / 1_000) });
    }
  }
}

/** Closes every socket of a session, at once. */
export function endSession(io: ChatServer, sessionId: string): void {
  for (const socket of io.of('/').sockets.values())
    if (socket.data.session.sessionId === sessionId) socket.disconnect(true);
}
