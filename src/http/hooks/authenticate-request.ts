import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BoardUsers } from '../../auth/clients/board-users.ts';
import type { Scope } from '../../auth/clients/scopes.ts';
import type { RateLimits } from '../../protocol/rate-limits.ts';
import {
  type Authenticate,
  AuthenticationFailed,
  type ClientSession,
  type Identify,
  ScopeMissing,
  type Session,
  isClient,
} from '../../auth/session.ts';
import { UserId } from '../../events/ids.ts';
import { ProblemError, badInput } from '../../protocol/problem.ts';
import { chargeBadToken, chargeClient } from './charge-requests.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The session of the caller, only on routes that authenticate users; of the user for whom a client acts. */
    session: Session;
    /** The client whose token it is; undefined for the token of a user. */
    client: ClientSession | undefined;
  }
  interface FastifyContextConfig {
    /** The scope with which a client may call the route: for a user, or alone where the route is for clients. */
    scope?: Scope;
  }
}

/** The header in which a client names the user for whom it acts. */
export const ACT_AS = 'x-act-as';

/** Who a token may be of, and whom a client may act for. */
export interface CallerDeps {
  identify: Identify;
  rateLimits: RateLimits;
  users: Pick<BoardUsers, 'actorFor'>;
}

/**
 * Returns a hook that lets only bearers of a valid access token pass, and puts their session on the request.
 * As `onRequest` it refuses strangers before their body is read, and charges their address. Throws
 * `AuthenticationFailed`, and `RateLimited` when that address has failed too often. The token of a client is refused.
 */
export function authenticateRequests(
  app: FastifyInstance,
  { authenticate, rateLimits }: { authenticate: Authenticate; rateLimits: RateLimits },
): (request: FastifyRequest) => Promise<void> {
  decorate(app);
  return async (request) => {
    request.session = await proved(authenticate, rateLimits, request);
    if (request.headers[ACT_AS] !== undefined) throw notOfClient(rateLimits, request);
  };
}

/**
 * Returns the same hook for routes that a client may call for a user, whom it names in `X-Act-As`, if the route has a
 * scope and the client has it. The session is then that of the user, with the user's rights.
 */
export function authenticateCallers(
  app: FastifyInstance,
  { identify, rateLimits, users }: CallerDeps,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  decorate(app);
  return async (request, reply) => {
    const session = await proved(identify, rateLimits, request);
    const actAs = request.headers[ACT_AS];
    if (!isClient(session)) {
      if (actAs !== undefined) throw notOfClient(rateLimits, request);
      request.session = session;
      return;
    }
    request.client = session;
    chargeClient(rateLimits, request, reply, session.clientId);
    const { scope } = request.routeOptions.config;
    if (scope === undefined || actAs === undefined) throw new AuthenticationFailed('USER_TOKEN_REQUIRED');
    requireScope(session, scope);
    const userId = UserId.safeParse(actAs).data;
    if (userId === undefined)
      throw new ProblemError(badInput([{ path: [ACT_AS], message: 'Must be the id of a user' }], 'headers'));
    const { sessionId, kid, expiresAt } = session;
    request.session = { actor: await users.actorFor(session, userId), sessionId, kid, expiresAt };
  };
}

/** Returns a hook for routes of clients, which puts the client on the request. Each such route has a scope. */
export function authenticateClients(
  app: FastifyInstance,
  { identify, rateLimits }: Omit<CallerDeps, 'users'>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  decorate(app);
  return async (request, reply) => {
    const session = await proved(identify, rateLimits, request);
    if (!isClient(session)) throw notOfClient(rateLimits, request);
    request.client = session;
    chargeClient(rateLimits, request, reply, session.clientId);
    requireScope(session, request.routeOptions.config.scope!);
  };
}

function decorate(app: FastifyInstance): void {
  if (app.hasRequestDecorator('session')) return;
  app.decorateRequest('session');
  app.decorateRequest('client', undefined);
}

async function proved<S>(
  check: (accessToken: string) => Promise<S>,
  rateLimits: RateLimits,
  request: FastifyRequest,
): Promise<S> {
  try {
    return await check(bearerToken(request.headers.authorization));
  } catch (error) {
    if (error instanceof AuthenticationFailed) chargeBadToken(rateLimits, request);
    throw error;
  }
}

/** Charges the token of a user where only that of a client is of use. */
function notOfClient(rateLimits: RateLimits, request: FastifyRequest): AuthenticationFailed {
  chargeBadToken(rateLimits, request);
  return new AuthenticationFailed('CLIENT_TOKEN_REQUIRED');
}

function requireScope({ scopes }: ClientSession, scope: Scope): void {
  if (!scopes.includes(scope)) throw new ScopeMissing(scope);
}

/** Returns the token of `Authorization: Bearer <token>` (RFC 6750 §2.1; the case of the scheme does not matter). */
export function bearerToken(authorization = ''): string {
  const [scheme = '', token] = authorization.split(' ', 2);
  if (scheme.toLowerCase() !== 'bearer' || !token) throw new AuthenticationFailed('TOKEN_MISSING');
  return authorization.slice(scheme.length + 1);
}
