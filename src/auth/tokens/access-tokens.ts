import { hash, randomUUID } from 'node:crypto';
import { type JWTPayload, SignJWT, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Actor } from '../../commands/command.ts';
import { Role } from '../../events/account.ts';
import { UserId } from '../../events/ids.ts';
import { scopesIn } from '../clients/scopes.ts';
import type { ServiceClient } from '../clients/service-client.ts';
import { AuthenticationFailed, type ClientSession, type Session } from '../session.ts';
import type { AccessKeys } from './access-keys.ts';
import type { VerifyingKey } from './signing-keys.ts';

const AUDIENCE = 'slay-e-chatapp';
/** RFC 9068 §2.2 requires one. All clients that log people in with a password count as one. */
const CLIENT = 'slay-e-chatapp';
/** RFC 9068 §2.1. Another JWT signed with this key does not pass as an access token. */
const TYPE = 'at+jwt';
const CLOCK_TOLERANCE_SECONDS = 5;
/**
 * Number of cached verdicts. Checking a signature takes some 100 µs, and only expiry changes the verdict on a
 * token.
 */
const CACHED_TOKENS = 10_000;
/**
 * Long enough that repeating a bad token costs nothing, short enough that a wrong clock or a new key is soon
 * forgiven.
 */
const REFUSED_MS = 30_000;
const MAX_LENGTH = 2_048;
/** Compact JWS. Decoders accept stray characters; this pattern does not. */
const SHAPE = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** The lifetime of the token of a client, and the longest of those that it gets for its users. */
export const CLIENT_TOKEN_SECONDS = 600;
export const LONGEST_USER_TOKEN_SECONDS = 86_400;

const common = { sid: z.uuid(), exp: z.int(), iat: z.int(), client_id: z.string().optional() };
const UserClaims = z.object({ ...common, sub: UserId, role: Role, scope: z.undefined().optional() });
/** A client is its own subject (RFC 9068 §2.2). */
const ClientClaims = z
  .object({
    ...common,
    sub: z.uuid(),
    client_id: z.uuid(),
    scope: z.string(),
    role: z.undefined().optional(),
  })
  .refine(({ sub, client_id }) => sub === client_id);
const Claims = z.union([UserClaims, ClientClaims]);

export interface AccessTokens {
  /**
   * `issuer` is the URL of this server for the client, where none is set for all. `to` is the client that gets the token
   * for its user.
   */
  issue(
    actor: Actor,
    sessionId: string,
    issuer?: string,
    to?: { clientId: string; lifetimeSeconds: number },
  ): Promise<string>;
  /** Issues the token of a client. `expiresIn` is in seconds. */
  issueToClient(
    client: Pick<ServiceClient, 'clientId' | 'scopes' | 'sessionId'>,
    issuer?: string,
  ): Promise<{ accessToken: string; expiresIn: number }>;
  /** Checks everything except revocation. Throws `AuthenticationFailed`. */
  verify(token: string): Promise<Session | ClientSession>;
  lifetimeSeconds: number;
}

/** The `iss` of a token that is issued without any URL, and of those from before it was one. */
export const NAMELESS_ISSUER = 'slay-e-chatapp';

/** Returns the key id in the header of a token; undefined for what has none. */
function kidOf(token: string): string | undefined {
  try {
    const { kid } = decodeProtectedHeader(token);
    return typeof kid === 'string' ? kid : undefined;
  } catch {
    return undefined;
  }
}

/** Returns what a token stands for. */
function sessionOf(claims: z.output<typeof Claims>, kid: string): Session | ClientSession {
  const { sub, sid: sessionId, exp, client_id } = claims;
  const expiresAt = exp * 1_000;
  if (claims.scope !== undefined)
    return { clientId: sub, scopes: scopesIn(claims.scope) ?? [], sessionId, kid, expiresAt };
  const session = { actor: { userId: claims.sub, role: claims.role }, sessionId, kid, expiresAt };
  const isOfLogin = client_id === undefined || client_id === CLIENT;
  return isOfLogin ? session : { ...session, clientId: client_id };
}

/**
 * Returns true if the text stands for a signature of that length. Its last character has bits of no meaning, with which
 * another text could stand for the same bytes.
 */
function isSignature(text: string, bytes: number): boolean {
  const decoded = Buffer.from(text, 'base64url');
  return decoded.length === bytes && decoded.toString('base64url') === text;
}

/**
 * Creates the issuer and verifier of access tokens: JWTs after RFC 9068, and nothing else. The key that a token names
 * decides by which algorithm it is checked; the token does not. `issuer` is undefined where tokens name the URL at which
 * the client asked: then the keys alone tell that a token is from here.
 */
export function createAccessTokens({
  keys,
  issuer,
  lifetimeSeconds,
}: {
  keys: Pick<AccessKeys, 'present' | 'find' | 'look'>;
  issuer?: string | undefined;
  lifetimeSeconds: number;
}): AccessTokens {
  const verified = new LRUCache<string, Session | ClientSession>({ max: CACHED_TOKENS });
  /** Keyed by the hash of the token, so that clients do not decide the size of an entry. */
  const refused = new LRUCache<string, AuthenticationFailed['code']>({ max: CACHED_TOKENS, ttl: REFUSED_MS });
  const checking = new Map<string, Promise<Session | ClientSession>>();

  /** Resolves with the key that a token names. */
  async function keyOf(token: string): Promise<VerifyingKey> {
    const kid = kidOf(token);
    if (kid === undefined) throw new AuthenticationFailed('TOKEN_INVALID');
    const known = keys.find(kid);
    if (known) return known;
    // Another process may have made it. That is not remembered against the token.
    await keys.look();
    const found = keys.find(kid);
    if (!found) throw new AuthenticationFailed('TOKEN_INVALID');
    return found;
  }

  async function claimsOf(token: string, { algorithm, publicKey }: VerifyingKey): Promise<JWTPayload> {
    const { payload } = await jwtVerify(token, publicKey, {
      algorithms: [algorithm],
      ...(issuer !== undefined && { issuer }),
      audience: AUDIENCE,
      typ: TYPE,
      requiredClaims: ['iss', 'sub', 'sid', 'jti', 'iat', 'exp'],
      maxTokenAge: LONGEST_USER_TOKEN_SECONDS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    });
    return payload;
  }

  /** Returns the longest lifetime of such tokens: of a login, of a client, or got by a client for its user. */
  function longestOf({ client_id, scope }: z.output<typeof Claims>): number {
    if (scope !== undefined) return CLIENT_TOKEN_SECONDS;
    return client_id === undefined || client_id === CLIENT ? lifetimeSeconds : LONGEST_USER_TOKEN_SECONDS;
  }

  async function check(token: string, key: VerifyingKey): Promise<Session | ClientSession> {
    const claims = await claimsOf(token, key).catch((error: unknown) => {
      const code = error instanceof errors.JWTExpired ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID';
      throw new AuthenticationFailed(code);
    });
    const parsed = Claims.safeParse(claims);
    if (!parsed.success) throw new AuthenticationFailed('TOKEN_INVALID');
    if (Date.now() / 1_000 - parsed.data.iat > longestOf(parsed.data) + CLOCK_TOLERANCE_SECONDS)
      throw new AuthenticationFailed('TOKEN_EXPIRED');
    return sessionOf(parsed.data, key.kid);
  }

  /**
   * Checks a token that is not known to be good. A token that is known to be bad, or is being checked, costs
   * nothing.
   */
  async function checkOnce(token: string): Promise<Session | ClientSession> {
    if (token.length > MAX_LENGTH || !SHAPE.test(token)) throw new AuthenticationFailed('TOKEN_INVALID');
    const key = await keyOf(token);
    if (!isSignature(token.slice(token.lastIndexOf('.') + 1), key.signatureBytes))
      throw new AuthenticationFailed('TOKEN_INVALID');
    const id = hash('sha256', token, 'base64url');
    const fault = refused.get(id);
    if (fault) throw new AuthenticationFailed(fault);
    const running = checking.get(id) ?? check(token, key).finally(() => checking.delete(id));
    checking.set(id, running);
    try {
      return await running;
    } catch (error) {
      if (error instanceof AuthenticationFailed) refused.set(id, error.code);
      throw error;
    }
  }

  function sign(claims: JWTPayload, seconds: number, askedAt = NAMELESS_ISSUER): Promise<string> {
    const { algorithm, kid, privateKey } = keys.present();
    return new SignJWT(claims)
      .setProtectedHeader({ alg: algorithm, typ: TYPE, kid })
      .setIssuer(issuer ?? askedAt)
      .setAudience(AUDIENCE)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${seconds} s`)
      .sign(privateKey);
  }

  return {
    lifetimeSeconds,
    issue({ userId, role }, sessionId, askedAt, to = { clientId: CLIENT, lifetimeSeconds }) {
      const claims = { sub: userId, sid: sessionId, role, client_id: to.clientId };
      return sign(claims, to.lifetimeSeconds, askedAt);
    },
    async issueToClient({ clientId, scopes, sessionId }, askedAt) {
      const claims = { sub: clientId, sid: sessionId, client_id: clientId, scope: scopes.join(' ') };
      const expiresIn = CLIENT_TOKEN_SECONDS;
      return { accessToken: await sign(claims, expiresIn, askedAt), expiresIn };
    },
    async verify(token) {
      const known = verified.get(token);
      if (known && !keys.find(known.kid)) {
        verified.delete(token);
        throw new AuthenticationFailed('TOKEN_INVALID');
      }
      const session = known ?? (await remembered(token));
      if (Date.now() < session.expiresAt + CLOCK_TOLERANCE_SECONDS * 1000) return session;
      verified.delete(token);
      throw new AuthenticationFailed('TOKEN_EXPIRED');
    },
  };

  async function remembered(token: string): Promise<Session | ClientSession> {
    const checked = await checkOnce(token);
    verified.set(token, checked);
    return checked;
  }
}
