import type { AccessTokens } from './tokens/access-tokens.ts';
import { type Authenticate, AuthenticationFailed, type Revocations, RevocationsUnknown } from './session.ts';

/** Without news of ended sessions for so long, this node might let in whom others have shut out: it trusts no token. */
export const MAX_STALE_MS = 10_000;

/** An access token's session, unless it has ended. The role is the token's: it lives for minutes only. */
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
