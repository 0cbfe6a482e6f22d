import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RateLimits } from '../../protocol/rate-limits.ts';
import { type Authenticate, AuthenticationFailed, type Session } from '../../auth/session.ts';
import { chargeBadToken } from './charge-requests.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The session of the caller, only on routes that authenticate. */
    session: Session;
  }
}

/**
 * Returns a hook that lets only bearers of a valid access token pass, and puts their session on the request.
 * As `onRequest` it refuses strangers before their body is read, and charges their address. Throws
 * `AuthenticationFailed`, and `RateLimited` when that address has failed too often.
 */
export function authenticateRequests(
  app: FastifyInstance,
  { authenticate, rateLimits }: { authenticate: Authenticate; rateLimits: RateLimits },
): (request: FastifyRequest) => Promise<void> {
  if (!app.hasRequestDecorator('session')) app.decorateRequest('session');
  return async (request) => {
    try {
      request.session = await authenticate(bearerToken(request.headers.authorization));
    } catch (error) {
      if (error instanceof AuthenticationFailed) chargeBadToken(rateLimits, request);
      throw error;
    }
  };
}

/** Returns the token of `Authorization: Bearer <token>` (RFC 6750 §2.1; the case of the scheme does not matter). */
export function bearerToken(authorization = ''): string {
  const [scheme = '', token] = authorization.split(' ', 2);
  if (scheme.toLowerCase() !== 'bearer' || !token) throw new AuthenticationFailed('TOKEN_MISSING');
  return authorization.slice(scheme.length + 1);
}
