import type { AccessTokens } from './access-tokens.ts';
import { type Authenticate, AuthenticationFailed, type Revocations } from './session.ts';

/** An access token's session, unless it has ended. The role is the token's: it lives for minutes only. */
export function createAuthenticate({
  accessTokens,
  revocations,
}: {
  accessTokens: AccessTokens;
  revocations: Pick<Revocations, 'isRevoked'>;
}): Authenticate {
  return async function authenticate(accessToken) {
    const session = await accessTokens.verify(accessToken);
    if (revocations.isRevoked(session.sessionId)) throw new AuthenticationFailed('TOKEN_REVOKED');
    return session;
  };
}
