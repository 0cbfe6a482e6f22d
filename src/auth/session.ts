import type { Actor } from '../commands/command.ts';

/** Who a valid access token speaks for. */
export interface Session {
  actor: Actor;
  sessionId: string;
  /** When the access token ends, in milliseconds since 1970. */
  expiresAt: number;
}

export type TokenFault = 'TOKEN_MISSING' | 'TOKEN_INVALID' | 'TOKEN_EXPIRED' | 'TOKEN_REVOKED';

export class AuthenticationFailed extends Error {
  override readonly name = 'AuthenticationFailed';
  readonly code: TokenFault | 'BAD_CREDENTIALS' | 'REFRESH_TOKEN_INVALID';

  constructor(code: AuthenticationFailed['code']) {
    super(code);
    this.code = code;
  }
}

/** This node does not know any more which sessions have ended, so it can let nobody in. It passes by itself. */
export class RevocationsUnknown extends Error {
  override readonly name = 'RevocationsUnknown';
}

/** Checks signature, claims, expiry and revocation. Throws `AuthenticationFailed` and `RevocationsUnknown`. */
export type Authenticate = (accessToken: string) => Promise<Session>;

/** The sessions that have ended while their access tokens had not: held in memory, backed by PostgreSQL. */
export interface Revocations {
  isRevoked(sessionId: string): boolean;
  /** Calls back within 5 s of a logout on any node. */
  onRevoked(listener: (sessionId: string) => void): void;
  /** How long ago it was last known which sessions have ended, in milliseconds. */
  staleMs(): number;
}
