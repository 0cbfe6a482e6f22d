import type { Logger } from 'pino';
import { DEFAULT_COSTS, type RateLimits } from '../../protocol/rate-limits.ts';
import type { Authenticate } from '../../auth/session.ts';
import { AuthenticationFailed } from '../../auth/session.ts';
import { CommandRejected } from '../../commands/rejection.ts';
import { ProblemError, problem } from '../../protocol/problem.ts';
import { type ChatSocket, Connection, type Trust, sessionFault } from './connection.ts';
import type { Door } from './door.ts';
import { shown } from './client-events.ts';
import type { Node } from '../cluster/node.ts';
import type { Rate } from '../../kit/token-bucket.ts';
import type { Users } from '../presence/users.ts';
import type { Wiring } from '../delivery/wire.ts';

interface HandshakeDeps extends Trust {
  authenticate: Authenticate;
  rateLimits: Pick<RateLimits, 'spend'>;
  door: Pick<Door, 'admitted' | 'refused'>;
  users: Users;
  /**
   * Resolves with true if the user may have one more socket on all nodes together; undefined if there are no
   * other nodes.
   */
  admits: Node['admits'];
  wiring: Wiring;
  refusals: Rate;
  isDraining: () => boolean;
  refused: (code: string) => void;
  log: Logger;
}

/** Time after which it is worth while to ask for a place again: a user may close a page, or a dead socket be noticed. */
const PLACE_SECONDS = 5;

const tooManySockets = () =>
  new ProblemError(problem('TOO_MANY_SOCKETS', { retryAfterSeconds: PLACE_SECONDS }));

/**
 * Returns the middleware that turns a handshake's token into a connection, or refuses it with a problem in
 * the error's `data`. For temporary failures it closes the connection without an answer.
 */
export function handshake({
  authenticate,
  door,
  users,
  admits,
  wiring,
  refused,
  log,
  ...deps
}: HandshakeDeps) {
  async function connect(socket: ChatSocket): Promise<Connection> {
    if (deps.isDraining()) throw new ProblemError(problem('UNAVAILABLE', { retryAfterSeconds: 1 }));
    const { token } = socket.handshake.auth as { token?: unknown };
    if (token === undefined || token === null || token === '')
      throw new AuthenticationFailed('TOKEN_MISSING');
    if (typeof token !== 'string') throw new AuthenticationFailed('TOKEN_INVALID');
    // It is not needed any more, and may be long.
    socket.handshake.auth = {};
    const session = await authenticate(token);
    const fault = sessionFault(session, deps);
    if (fault) throw new ProblemError(problem(fault));
    if (session.actor.role === 'auditor') throw new CommandRejected('ROLE_NOT_ALLOWED');
    deps.rateLimits.spend('requests', session.actor.userId, DEFAULT_COSTS.connection);
    const user = users.admit(session.actor.userId, socket);
    if (!user) throw tooManySockets();
    if (admits && !(await admits(user, socket))) {
      users.turnAway(user, socket);
      throw tooManySockets();
    }
    // By then Socket.IO has made the socket, or has dropped it because its client had gone.
    setImmediate(() => users.turnAway(user, socket));
    return new Connection(session, user, wiring.of(socket.conn), deps.refusals);
  }

  return (socket: ChatSocket, next: (error?: Error) => void): void => {
    connect(socket).then(
      (connection) => {
        socket.data = connection;
        door.admitted(socket.conn, connection);
        next();
      },
      (error: unknown) => {
        const data = shown(error);
        if (data.code === 'INTERNAL') log.error({ err: error }, 'a handshake failed');
        refused(data.code);
        door.refused(socket.conn, data.status < 500);
        // A stock client never retries after an error, but reconnects when its connection closes.
        if (data.status >= 500 || data.code === 'RATE_LIMITED') return socket.conn.close();
        next(Object.assign(new Error(data.title), { data }));
      },
    );
  };
}
