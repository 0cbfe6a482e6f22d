import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import { DEFAULT_COSTS } from '../auth/costs.ts';
import type { RateLimits } from '../auth/rate-limits.ts';
import type { Authenticate, Revocations } from '../auth/session.ts';
import { AuthenticationFailed } from '../auth/session.ts';
import { ProblemError, problem } from '../http/problem.ts';
import { type ChatSocket, Connection } from './connection.ts';
import { sessionFault, shown } from './handle-event.ts';
import type { Node } from './node.ts';
import type { Users } from './users.ts';
import type { Wiring } from './wire.ts';

const FORBIDDEN = 'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

interface HandshakeDeps {
  authenticate: Authenticate;
  rateLimits: Pick<RateLimits, 'spend'>;
  revocations: Pick<Revocations, 'isRevoked'>;
  users: Users;
  /** Whether the user may have one more socket on all nodes together; without it there are no others. */
  admits: Node['admits'];
  wiring: Wiring;
  isDraining: () => boolean;
  refused: (code: string) => void;
  log: Logger;
}

/**
 * Refuses browsers on pages of other sites (cross-site WebSocket hijacking): CORS does not cover WebSockets. Clients
 * that are not browsers send no Origin.
 */
export function originCheck(allowedOrigins: readonly string[]) {
  const allowed = new Set(allowedOrigins);
  const isAllowed = ({ headers: { origin, host } }: IncomingMessage) =>
    origin === undefined || allowed.has(origin) || (URL.canParse(origin) && new URL(origin).host === host);

  return (request: IncomingMessage, decide: (error: string | null, isAllowed: boolean) => void): void => {
    if (isAllowed(request)) return decide(null, true);
    // Engine.IO would call it a bad request.
    request.socket.end(FORBIDDEN);
    decide('foreign origin', false);
  };
}

/** Turns a handshake's token into a connection, or refuses with a problem in the error's `data`. */
export function handshake({
  authenticate,
  revocations,
  users,
  admits,
  wiring,
  refused,
  log,
  ...deps
}: HandshakeDeps) {
  async function connect(socket: ChatSocket): Promise<Connection> {
    if (deps.isDraining()) throw new ProblemError(problem('UNAVAILABLE'));
    const { token } = socket.handshake.auth as { token?: unknown };
    if (token === undefined || token === null || token === '')
      throw new AuthenticationFailed('TOKEN_MISSING');
    if (typeof token !== 'string') throw new AuthenticationFailed('TOKEN_INVALID');
    delete socket.handshake.auth['token'];
    const session = await authenticate(token);
    const fault = sessionFault(session, revocations);
    if (fault) throw new ProblemError(problem(fault));
    deps.rateLimits.spend('requests', session.actor.userId, DEFAULT_COSTS.connection);
    const user = users.admit(session.actor.userId, socket);
    if (!user) throw new ProblemError(problem('TOO_MANY_SOCKETS'));
    if (admits && !(await admits(user, socket))) {
      users.turnAway(user, socket);
      throw new ProblemError(problem('TOO_MANY_SOCKETS'));
    }
    // By then Socket.IO has made the socket, or has dropped it because its client had gone.
    setImmediate(() => users.turnAway(user, socket));
    return new Connection(session, user, wiring.of(socket.conn));
  }

  return (socket: ChatSocket, next: (error?: Error) => void): void => {
    connect(socket).then(
      (connection) => {
        socket.data = connection;
        next();
      },
      (error: unknown) => {
        const data = shown(error);
        if (data.code === 'INTERNAL') log.error({ err: error }, 'a handshake failed');
        refused(data.code);
        next(Object.assign(new Error(data.title), { data }));
      },
    );
  };
}
