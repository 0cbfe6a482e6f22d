import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { UserId } from '../events/ids.ts';
import type { AccessTokens } from './tokens/access-tokens.ts';
import type { Credential, Credentials } from './credentials.ts';
import { AuthenticationFailed } from './session.ts';

/** Period in which the same refresh token gets the same answer again, as long as the answer is unused. */
export const GRACE_SECONDS = 600;
export const REFRESH_DAYS = 30;

/** The outcome of presenting a refresh token, see migrations/0002-accounts.sql. */
export type Rotation =
  { outcome: 'rotated' | 'repeated' | 'reused'; sessionId: string; userId: UserId } | { outcome: 'invalid' };

/** The port of the sessions. Refresh tokens arrive as SHA-256 only, so a copy of the table opens nothing. */
export interface SessionStore {
  /** Resolves with false when the password is no longer of that version, or the account is suspended. */
  open(session: {
    sessionId: string;
    userId: UserId;
    passwordVersion: number;
    tokenHash: Buffer;
    userAgent: string | null;
  }): Promise<boolean>;
  /** Spends a token for its child. Reusing a spent token ends the session. */
  rotate(presented: Buffer, child: Buffer): Promise<Rotation>;
  /** Resolves with true if there is such a session, and it has not ended. */
  isOpen(sessionId: string): Promise<boolean>;
  revoke(sessionId: string): Promise<void>;
  /** Ends one session of the user. Resolves with false when the user has no such open session. */
  revokeOneOf(userId: UserId, sessionId: string): Promise<boolean>;
  /** Ends all sessions of the user. Resolves with the ids of those that were open. */
  revokeAllOf(userId: UserId): Promise<string[]>;
  /** Resolves with the open sessions, most recently used first; at most 1,000. */
  ofUser(userId: UserId): Promise<OpenSession[]>;
}

/** An open session as its user sees it. */
export interface OpenSession {
  sessionId: string;
  createdAt: Date;
  /** The later of opening and the last refresh. */
  lastUsedAt: Date;
  /** The client's `User-Agent` at login. */
  userAgent: string | null;
}

/** The tokens of a client. */
export interface Tokens {
  accessToken: string;
  refreshToken: string;
  /** Lifetimes of the access token and of the refresh token, in seconds. */
  expiresIn: number;
  refreshExpiresIn: number;
}

export interface Sessions {
  /**
   * Opens a session after the password was checked. Throws `AuthenticationFailed` when the password has
   * changed meanwhile. `issuer` as for `AccessTokens`.
   */
  open(credential: Credential, userAgent?: string, issuer?: string): Promise<Tokens>;
  /** Throws `AuthenticationFailed` for a token that is unknown, spent or expired, or whose session has ended. */
  refresh(refreshToken: string, issuer?: string): Promise<{ tokens: Tokens; credential: Credential }>;
  end(sessionId: string): Promise<void>;
  ofUser(userId: UserId): Promise<OpenSession[]>;
  /** Ends one session of the user. Resolves with false when the user has no such open session. */
  endOneOf(userId: UserId, sessionId: string): Promise<boolean>;
  endAllOf(userId: UserId): Promise<void>;
}

const LONGEST_USER_AGENT = 200;

const hashOf = (token: string) => createHash('sha256').update(token).digest();

export function createSessions({
  store,
  credentials,
  accessTokens,
  refreshSecret,
  onEnded,
  newId,
}: {
  store: SessionStore;
  credentials: Credentials;
  accessTokens: AccessTokens;
  refreshSecret: Buffer;
  /** Called at once with every session that ends here. */
  onEnded: (sessionId: string) => void;
  newId: () => string;
}): Sessions {
  /** Derives the child of a token. Repeated requests get the same child, and it is stored nowhere. */
  const childOf = (token: string) => createHmac('sha256', refreshSecret).update(token).digest('base64url');

  const tokensFor = async (
    { userId, role }: Credential,
    {
      sessionId,
      refreshToken,
      issuer,
    }: { sessionId: string; refreshToken: string; issuer?: string | undefined },
  ) => ({
    accessToken: await accessTokens.issue({ userId, role }, sessionId, issuer),
    refreshToken,
    expiresIn: accessTokens.lifetimeSeconds,
    refreshExpiresIn: REFRESH_DAYS * 86_400,
  });

  return {
    async open(credential, userAgent, issuer) {
      const { userId, passwordVersion } = credential;
      const sessionId = newId();
      const refreshToken = randomBytes(32).toString('base64url');
      const isOpen = await store.open({
        ...{ sessionId, userId, passwordVersion },
        tokenHash: hashOf(refreshToken),
        userAgent: userAgent?.slice(0, LONGEST_USER_AGENT) ?? null,
      });
      if (!isOpen) throw new AuthenticationFailed('BAD_CREDENTIALS');
      return tokensFor(credential, { sessionId, refreshToken, issuer });
    },
    async refresh(refreshToken, issuer) {
      const child = childOf(refreshToken);
      const rotation = await store.rotate(hashOf(refreshToken), hashOf(child));
      if (rotation.outcome === 'reused') onEnded(rotation.sessionId);
      if (rotation.outcome === 'invalid' || rotation.outcome === 'reused')
        throw new AuthenticationFailed('REFRESH_TOKEN_INVALID');
      const credential = await credentials.ofUser(rotation.userId);
      if (!credential) throw new AuthenticationFailed('REFRESH_TOKEN_INVALID');
      const { sessionId } = rotation;
      return { tokens: await tokensFor(credential, { sessionId, refreshToken: child, issuer }), credential };
    },
    async end(sessionId) {
      await store.revoke(sessionId);
      onEnded(sessionId);
    },
    ofUser: (userId) => store.ofUser(userId),
    async endAllOf(userId) {
      (await store.revokeAllOf(userId)).forEach(onEnded);
    },
    async endOneOf(userId, sessionId) {
      const hasEnded = await store.revokeOneOf(userId, sessionId);
      if (hasEnded) onEnded(sessionId);
      return hasEnded;
    },
  };
}
