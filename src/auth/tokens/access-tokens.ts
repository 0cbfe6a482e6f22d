import { hash, randomUUID } from 'node:crypto';
import { type JWTPayload, SignJWT, errors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Actor } from '../../commands/command.ts';
import { Role } from '../../events/account.ts';
import { UserId } from '../../events/ids.ts';
import { AuthenticationFailed, type Session } from '../session.ts';
import type { SigningKeys } from './signing-keys.ts';

const AUDIENCE = 'slay-e-chatapp';
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
/** Compact JWS with a signature of 64 bytes. Decoders accept stray characters and bits; this pattern does not. */
const SHAPE = /^[\w-]+\.[\w-]+\.[\w-]{85}[AQgw]$/;

const Claims = z.object({ sub: UserId, sid: z.uuid(), role: Role, exp: z.int() });

export interface AccessTokens {
  issue(actor: Actor, sessionId: string): Promise<string>;
  /** Checks everything except revocation. Throws `AuthenticationFailed`. */
  verify(token: string): Promise<Session>;
  lifetimeSeconds: number;
}

/** Creates the issuer and verifier of access tokens: EdDSA JWTs after RFC 9068, and nothing else. */
export function createAccessTokens({
  keys,
  issuer,
  lifetimeSeconds,
}: {
  keys: Pick<SigningKeys, 'privateKey' | 'publicKey' | 'kid'>;
  issuer: string;
  lifetimeSeconds: number;
}): AccessTokens {
  const verified = new LRUCache<string, Session>({ max: CACHED_TOKENS });
  /** Keyed by the hash of the token, so that clients do not decide the size of an entry. */
  const refused = new LRUCache<string, AuthenticationFailed['code']>({ max: CACHED_TOKENS, ttl: REFUSED_MS });
  const checking = new Map<string, Promise<Session>>();

  async function claimsOf(token: string): Promise<JWTPayload> {
    const { payload } = await jwtVerify(
      token,
      ({ kid }) => {
        if (kid !== keys.kid) throw new errors.JWKSNoMatchingKey();
        return keys.publicKey;
      },
      {
        algorithms: ['EdDSA'],
        issuer,
        audience: AUDIENCE,
        typ: TYPE,
        requiredClaims: ['sub', 'sid', 'role', 'jti', 'iat', 'exp'],
        maxTokenAge: lifetimeSeconds,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      },
    );
    return payload;
  }

  async function check(token: string): Promise<Session> {
    const claims = await claimsOf(token).catch((error: unknown) => {
      const code = error instanceof errors.JWTExpired ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID';
      throw new AuthenticationFailed(code);
    });
    const parsed = Claims.safeParse(claims);
    if (!parsed.success) throw new AuthenticationFailed('TOKEN_INVALID');
    const { sub, sid, role, exp } = parsed.data;
    return { actor: { userId: sub, role }, sessionId: sid, expiresAt: exp * 1000 };
  }

  /**
   * Checks a token that is not known to be good. A token that is known to be bad, or is being checked, costs
   * nothing.
   */
  async function checkOnce(token: string): Promise<Session> {
    if (token.length > MAX_LENGTH || !SHAPE.test(token)) throw new AuthenticationFailed('TOKEN_INVALID');
    const key = hash('sha256', token, 'base64url');
    const fault = refused.get(key);
    if (fault) throw new AuthenticationFailed(fault);
    const running = checking.get(key) ?? check(token).finally(() => checking.delete(key));
    checking.set(key, running);
    try {
      return await running;
    } catch (error) {
      if (error instanceof AuthenticationFailed) refused.set(key, error.code);
      throw error;
    }
  }

  return {
    lifetimeSeconds,
    issue: ({ userId, role }, sessionId) =>
      new SignJWT({ sid: sessionId, role })
        .setProtectedHeader({ alg: 'EdDSA', typ: TYPE, kid: keys.kid })
        .setIssuer(issuer)
        .setAudience(AUDIENCE)
        .setSubject(userId)
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime(`${lifetimeSeconds} s`)
        .sign(keys.privateKey),
    async verify(token) {
      const known = verified.get(token);
      const session = known ?? (await checkOnce(token));
      if (!known) verified.set(token, session);
      if (Date.now() < session.expiresAt + CLOCK_TOLERANCE_SECONDS * 1000) return session;
      verified.delete(token);
      throw new AuthenticationFailed('TOKEN_EXPIRED');
    },
  };
}
