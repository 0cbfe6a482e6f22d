import { LRUCache } from 'lru-cache';
import type { AccessTokens } from './tokens/access-tokens.ts';
import {
  type Authenticate,
  AuthenticationFailed,
  type Identify,
  type Revocations,
  RevocationsUnknown,
  isClient,
} from './session.ts';
import type { SessionStore } from './sessions.ts';

/**
 * After this long without news of ended sessions, this node trusts no token: it might accept a session ended
 * elsewhere.
 */
export const MAX_STALE_MS = 10_000;
/** Sessions opened by clients that are known to be open. */
const KNOWN_OPEN = 10_000;

/**
 * Creates a function that resolves with the session of an access token unless it has ended. The role is the one in the
 * token. The tokens of a login live for minutes, and ended sessions are remembered for longer. Those that a client gets
 * for its users may live for a day, so each node looks such a session up once in the lifetime of other tokens.
 */
export function createIdentify({
  accessTokens,
  revocations,
  sessions,
}: {
  accessTokens: Pick<AccessTokens, 'verify' | 'lifetimeSeconds'>;
  revocations: Pick<Revocations, 'isRevoked' | 'staleMs'>;
  sessions: Pick<SessionStore, 'isOpen'>;
}): Identify {
  const open = new LRUCache<string, true>({ max: KNOWN_OPEN, ttl: accessTokens.lifetimeSeconds * 1_000 });

  async function requireOpen(sessionId: string): Promise<void> {
    if (open.has(sessionId)) return;
    if (!(await sessions.isOpen(sessionId))) throw new AuthenticationFailed('TOKEN_REVOKED');
    open.set(sessionId, true);
  }

  return async function identify(accessToken) {
    const session = await accessTokens.verify(accessToken);
    const { sessionId } = session;
    if (revocations.isRevoked(sessionId)) throw new AuthenticationFailed('TOKEN_REVOKED');
    if (revocations.staleMs() > MAX_STALE_MS) throw new RevocationsUnknown();
    if (!isClient(session) && session.clientId !== undefined) await requireOpen(sessionId);
    return session;
  };
}

/** Creates a function that identifies users only. */
export const createAuthenticate =
  (identify: Identify): Authenticate =>
  async (accessToken) => {
    const session = await identify(accessToken);
    if (isClient(session)) throw new AuthenticationFailed('USER_TOKEN_REQUIRED');
    return session;
  };
