import type { Actor } from '../commands/command.ts';
import type { Scope } from './clients/scopes.ts';

/** The actor and the session of a valid access token. */
export interface Session {
  actor: Actor;
  sessionId: string;
  /** The id of the key that signed the access token. */
  kid: string;
  /** The expiry of the access token, in milliseconds since 1970. */
  expiresAt: number;
  /** The client that has opened the session for its user; absent after a login. */
  clientId?: string;
}

/** The client of a valid access token. */
export interface ClientSession {
  clientId: string;
  scopes: readonly Scope[];
  sessionId: string;
  /** The id of the key that signed the access token. */
  kid: string;
  /** The expiry of the access token, in milliseconds since 1970. */
  expiresAt: number;
}

export const isClient = (session: Session | ClientSession): session is ClientSession => 'scopes' in session;

export type TokenFault = 'TOKEN_MISSING' | 'TOKEN_INVALID' | 'TOKEN_EXPIRED' | 'TOKEN_REVOKED';

export class AuthenticationFailed extends Error {
  override readonly name = 'AuthenticationFailed';
  readonly code:
    | TokenFault
    | 'BAD_CREDENTIALS'
    | 'TOTP_REQUIRED'
    | 'TOTP_INVALID'
    | 'ACCOUNT_SUSPENDED'
    | 'USER_TOKEN_REQUIRED'
    | 'CLIENT_TOKEN_REQUIRED'
    | 'REFRESH_TOKEN_INVALID';

  constructor(code: AuthenticationFailed['code']) {
    super(code);
    this.code = code;
  }
}

/** This node no longer knows which sessions have ended, so it accepts no token. The state passes by itself. */
export class RevocationsUnknown extends Error {
  override readonly name = 'RevocationsUnknown';
}

/** The client lacks the scope that a call needs. */
export class ScopeMissing extends Error {
  override readonly name = 'ScopeMissing';
  readonly code = 'SCOPE_MISSING';

  constructor(scope: Scope) {
    super(`The call needs the scope ${scope}`);
  }
}

/** Checks signature, claims, expiry and revocation. Throws `AuthenticationFailed` and `RevocationsUnknown`. */
export type Identify = (accessToken: string) => Promise<Session | ClientSession>;

/** The same for users; the token of a client is refused. */
export type Authenticate = (accessToken: string) => Promise<Session>;

/** The sessions that ended before their access tokens expired: held in memory, backed by PostgreSQL. */
export interface Revocations {
  isRevoked(sessionId: string): boolean;
  /** Calls back within 5 s of a logout on any node. */
  onRevoked(listener: (sessionId: string) => void): void;
  /** Returns the milliseconds since the ended sessions were last known to be complete. */
  staleMs(): number;
}
