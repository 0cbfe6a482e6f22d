import { hash, randomUUID } from 'node:crypto';
import { type JWTPayload, SignJWT, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Actor } from '../../commands/command.ts';
import { Role } from '../../events/account.ts';
import { UserId } from '../../events/ids.ts';
import { AuthenticationFailed, type Session } from '../session.ts';
import type { AccessKeys } from './access-keys.ts';
import type { VerifyingKey } from './signing-keys.ts';

const AUDIENCE = 'slay-e-chatapp';
/** RFC 9068 §2.2 requires one. All clients that log people in count as one. */
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

const Claims = z.object({ sub: UserId, sid: z.uuid(), role: Role, exp: z.int() });

export interface AccessTokens {
  /** `issuer` is the URL of this server for the client, where none is set for all. */
  issue(actor: Actor, sessionId: string, issuer?: string): Promise<string>;
  /** Checks everything except revocation. Throws `AuthenticationFailed`. */
  verify(token: string): Promise<Session>;
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
  const verified = new LRUCache<string, Session>({ max: CACHED_TOKENS });
  /** Keyed by the hash of the token, so that clients do not decide the size of an entry. */
  const refused = new LRUCache<string, AuthenticationFailed['code']>({ max: CACHED_TOKENS, ttl: REFUSED_MS });
  const checking = new Map<string, Promise<Session>>();

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
      requiredClaims: ['iss', 'sub', 'sid', 'role', 'jti', 'iat', 'exp'],
      maxTokenAge: lifetimeSeconds,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    });
    return payload;
  }

  async function check(token: string, key: VerifyingKey): Promise<Session> {
    const claims = await claimsOf(token, key).catch((error: unknown) => {
      const code = error instanceof errors.JWTExpired ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID';
      throw new AuthenticationFailed(code);
    });
    const parsed = Claims.safeParse(claims);
    if (!parsed.success) throw new AuthenticationFailed('TOKEN_INVALID');
    const { sub, sid, role, exp } = parsed.data;
    return { actor: { userId: sub, role }, sessionId: sid, kid: key.kid, expiresAt: exp * 1000 };
  }

  /**
   * Checks a token that is not known to be good. A token that is known to be bad, or is being checked, costs
   * nothing.
   */
  async function checkOnce(token: string): Promise<Session> {
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

  return {
    lifetimeSeconds,
    issue({ userId, role }, sessionId, askedAt = NAMELESS_ISSUER) {
      const { algorithm, kid, privateKey } = keys.present();
      return new SignJWT({ sid: sessionId, role, client_id: CLIENT })
        .setProtectedHeader({ alg: algorithm, typ: TYPE, kid })
        .setIssuer(issuer ?? askedAt)
        .setAudience(AUDIENCE)
        .setSubject(userId)
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime(`${lifetimeSeconds} s`)
        .sign(privateKey);
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

  async function remembered(token: string): Promise<Session> {
    const checked = await checkOnce(token);
    verified.set(token, checked);
    return checked;
  }
}
