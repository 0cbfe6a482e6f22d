import type { AccessTokens } from './tokens/access-tokens.ts';
import { type Authenticate, AuthenticationFailed, type Revocations, RevocationsUnknown } from './session.ts';

/**
 * After this long without news of ended sessions, this node trusts no token: it might accept a session ended
 * elsewhere.
 */
export const MAX_STALE_MS = 10_000;

/**
 * Creates a function that resolves with the session of an access token unless it has ended. The role is the
 * one in the token, which lives for minutes only.
 */
export function createAuthenticate({
  accessTokens,
  revocations,
}: {
  accessTokens: Pick<AccessTokens, 'verify'>;
  revocations: Pick<Revocations, 'isRevoked' | 'staleMs'>;
}): Authenticate {
  return async function authenticate(accessToken) {
    const session = await accessTokens.verify(accessToken);
    if (revocations.isRevoked(session.sessionId)) throw new AuthenticationFailed('TOKEN_REVOKED');
    if (revocations.staleMs() > MAX_STALE_MS) throw new RevocationsUnknown();
    return session;
  };
}
