import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Authenticate, AuthenticationFailed, type Session } from '../auth/session.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; only there on routes that authenticate. */
    session: Session;
  }
}

/**
 * A hook that lets only bearers of a valid access token pass, and puts their session on the request. As `onRequest`
 * it refuses strangers before their body is read. Throws `AuthenticationFailed`.
 */
export function authenticateRequests(
  app: FastifyInstance,
  authenticate: Authenticate,
): (request: FastifyRequest) => Promise<void> {
  if (!app.hasRequestDecorator('session')) app.decorateRequest('session');
  return async (request) => {
    request.session = await authenticate(bearerToken(request.headers.authorization));
  };
}

/** The token of `Authorization: Bearer <token>` (RFC 6750 §2.1; the scheme's case does not matter). */
function bearerToken(authorization = ''): string {
  const [scheme = '', token] = authorization.split(' ', 2);
  if (scheme.toLowerCase() !== 'bearer' || !token) throw new AuthenticationFailed('TOKEN_MISSING');
  return authorization.slice(scheme.length + 1);
}
