import { createHash } from 'node:crypto';
import type { JWK } from 'jose';
import { z } from 'zod';
import type { Scope } from './scopes.ts';

export const ClientId = z.uuid();

/** A program of a board, which may do what its scopes name. */
export interface ServiceClient {
  clientId: string;
  name: string;
  scopes: readonly Scope[];
  /** Its tokens end with it. */
  sessionId: string;
}

/** A client as operators see it. */
export interface ListedClient extends Omit<ServiceClient, 'sessionId'> {
  createdAt: Date;
  isDisabled: boolean;
  /** The oldest first. `lastUsedAt` is exact to the minute. */
  secrets: { createdAt: Date; lastUsedAt: Date | null }[];
  publicKeys: JWK[];
}

/** The port of the clients. Secrets arrive as SHA-256 only: they have 256 bits, so nobody guesses one from its hash. */
export interface ClientStore {
  /** These resolve with the client; undefined when there is none, it is disabled, or the secret is not its own. */
  ofSecret(clientId: string, secretHash: Buffer): Promise<ServiceClient | undefined>;
  ofKeys(clientId: string): Promise<{ client: ServiceClient; publicKeys: JWK[] } | undefined>;
  find(clientId: string): Promise<ServiceClient | undefined>;
  /** Spends the assertion, on whichever node it arrives first. Resolves with false when it was spent before. */
  spendAssertion(clientId: string, jtiHash: Buffer, expiresAt: Date): Promise<boolean>;

  add(client: {
    clientId: string;
    sessionId: string;
    name: string;
    scopes: readonly Scope[];
    secretHash: Buffer | undefined;
    publicKeys: readonly JWK[];
  }): Promise<void>;
  list(): Promise<ListedClient[]>;
  /** Adds a secret beside the present one. Resolves with false when there are two already, or no such client. */
  addSecret(clientId: string, secretHash: Buffer): Promise<boolean>;
  /** Ends the older of two secrets. Resolves with false when there are not two. */
  endOlderSecret(clientId: string): Promise<boolean>;
  /** Ends its tokens, and those that it got for its users. Resolves with false when it is disabled already. */
  disable(clientId: string): Promise<boolean>;
  /** Resolves with false when it is not disabled. Tokens from before stay ended. */
  enable(clientId: string, sessionId: string): Promise<boolean>;
  /** Replaces the public keys. Resolves with false when there is no such client. */
  setKeys(clientId: string, publicKeys: readonly JWK[]): Promise<boolean>;
}

/** The reasons why the endpoint of tokens refuses a request: the errors of RFC 6749 §5.2 and RFC 8693 §2.2.2. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
  readonly code:
    | 'INVALID_CLIENT'
    | 'UNAUTHORIZED_CLIENT'
    | 'INVALID_SCOPE'
    | 'INVALID_TARGET'
    | 'UNSUPPORTED_GRANT_TYPE'
    | 'SUBJECT_TOKEN_INVALID';

  constructor(code: TokenRefused['code'], reason: string) {
    super(reason);
    this.code = code;
  }
}

/** The hash under which a secret, or the `jti` of an assertion, is stored. */
export const storedHash = (text: string): Buffer => createHash('sha256').update(text).digest();
