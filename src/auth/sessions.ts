import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { UserId } from '../events/ids.ts';
import type { AccessTokens } from './tokens/access-tokens.ts';
import type { Credential, Credentials } from './credentials.ts';
import { AuthenticationFailed } from './session.ts';

/** How long the answer to a refresh may be asked for again with the same token, while nobody has used the answer. */
export const GRACE_SECONDS = 600;
export const REFRESH_DAYS = 30;

/** What became of a refresh token that was presented, see migrations/0002-accounts.sql. */
export type Rotation =
  { outcome: 'rotated' | 'repeated' | 'reused'; sessionId: string; userId: UserId } | { outcome: 'invalid' };

/** The port of the sessions. Refresh tokens come as SHA-256 only: a copy of the table opens nothing. */
export interface SessionStore {
  /** False when the password is not of that version any more. */
  open(session: {
    sessionId: string;
    userId: UserId;
    passwordVersion: number;
    tokenHash: Buffer;
    userAgent: string | null;
  }): Promise<boolean>;
  /** Spends a token for its child; the reuse of one that was spent before ends the session. */
  rotate(presented: Buffer, child: Buffer): Promise<Rotation>;
  revoke(sessionId: string): Promise<void>;
  /** Ends one session of the user; false when there is no such session that is open. */
  revokeOneOf(userId: UserId, sessionId: string): Promise<boolean>;
  /** Answers with the sessions that were open. */
  revokeAllOf(userId: UserId): Promise<string[]>;
  /** Those that are open, most recently used first; 1,000 at most. */
  ofUser(userId: UserId): Promise<OpenSession[]>;
}

/** As its user sees it. */
export interface OpenSession {
  sessionId: string;
  createdAt: Date;
  /** When it was opened or last refreshed, whichever was later. */
  lastUsedAt: Date;
  /** What the client called itself at the login. */
  userAgent: string | null;
}

/** What a client is let in with. */
export interface Tokens {
  accessToken: string;
  refreshToken: string;
  /** Of the access token, and of the refresh token, in seconds. */
  expiresIn: number;
  refreshExpiresIn: number;
}

export interface Sessions {
  /** For somebody whose password was right. Throws `AuthenticationFailed` when it was changed meanwhile. */
  open(credential: Credential, userAgent?: string): Promise<Tokens>;
  /** Throws `AuthenticationFailed` for a token that is unknown, spent, expired or of a session that has ended. */
  refresh(refreshToken: string): Promise<{ tokens: Tokens; credential: Credential }>;
  end(sessionId: string): Promise<void>;
  ofUser(userId: UserId): Promise<OpenSession[]>;
  /** Ends one session of the user; false when there is no such session that is open. */
  endOneOf(userId: UserId, sessionId: string): Promise<boolean>;
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
  /** Hears of every session that ends here, at once. */
  onEnded: (sessionId: string) => void;
  newId: () => string;
}): Sessions {
  /** The child follows from its parent: whoever asks twice is given the same one, and it is stored nowhere. */
  const childOf = (token: string) => createHmac('sha256', refreshSecret).update(token).digest('base64url');

  const tokensFor = async ({ userId, role }: Credential, sessionId: string, refreshToken: string) => ({
    accessToken: await accessTokens.issue({ userId, role }, sessionId),
    refreshToken,
    expiresIn: accessTokens.lifetimeSeconds,
    refreshExpiresIn: REFRESH_DAYS * 86_400,
  });

  return {
    async open(credential, userAgent) {
      const { userId, passwordVersion } = credential;
      const sessionId = newId();
      const refreshToken = randomBytes(32).toString('base64url');
      const isOpen = await store.open({
        ...{ sessionId, userId, passwordVersion },
        tokenHash: hashOf(refreshToken),
        userAgent: userAgent?.slice(0, LONGEST_USER_AGENT) ?? null,
      });
      if (!isOpen) throw new AuthenticationFailed('BAD_CREDENTIALS');
      return tokensFor(credential, sessionId, refreshToken);
    },
    async refresh(refreshToken) {
      const child = childOf(refreshToken);
      const rotation = await store.rotate(hashOf(refreshToken), hashOf(child));
      if (rotation.outcome === 'reused') onEnded(rotation.sessionId);
      if (rotation.outcome === 'invalid' || rotation.outcome === 'reused')
        throw new AuthenticationFailed('REFRESH_TOKEN_INVALID');
      const credential = await credentials.ofUser(rotation.userId);
      if (!credential) throw new AuthenticationFailed('REFRESH_TOKEN_INVALID');
      return { tokens: await tokensFor(credential, rotation.sessionId, child), credential };
    },
    async end(sessionId) {
      await store.revoke(sessionId);
      onEnded(sessionId);
    },
    ofUser: (userId) => store.ofUser(userId),
    async endOneOf(userId, sessionId) {
      const hasEnded = await store.revokeOneOf(userId, sessionId);
      if (hasEnded) onEnded(sessionId);
      return hasEnded;
    },
  };
}
