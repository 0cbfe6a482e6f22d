import { createRemoteJWKSet, customFetch, errors } from 'jose';
import type { Logger } from 'pino';
import { type IssuerKeys, IssuerUnreachable } from '../../auth/clients/token-exchange.ts';
import { fetchSmall } from './fetch-small.ts';

/** Keys that are not older are used without a question to the issuer. */
const CACHED_MS = 600_000;
/** An unknown key, or an issuer that does not answer, is asked about once in this time. */
const ASK_EVERY_MS = 5_000;
const TIMEOUT_MS = 2_000;
const MAX_BYTES = 262_144;

/**
 * Creates the keys of an issuer from its JWKS, which is fetched when a token needs it: with a deadline, a limit of its
 * size, and without following redirects. A token chooses among these keys, and names no other place for one.
 */
export function createIssuerKeys({
  jwksUri,
  log,
  cachedMs = CACHED_MS,
  askEveryMs = ASK_EVERY_MS,
}: {
  jwksUri: string;
  log: Logger;
  cachedMs?: number;
  askEveryMs?: number;
}): IssuerKeys {
  let failedAt = -Infinity;

  const keys = createRemoteJWKSet(new URL(jwksUri), {
    timeoutDuration: TIMEOUT_MS,
    cooldownDuration: askEveryMs,
    cacheMaxAge: cachedMs,
    async [customFetch](url, { signal }) {
      if (performance.now() - failedAt < askEveryMs)
        throw new IssuerUnreachable('the keys could not be fetched a moment ago');
      return fetchSmall(url, { maxBytes: MAX_BYTES, signal });
    },
  });

  return async (header, token) => {
    try {
      return await keys(header, token);
    } catch (err) {
      if (isOfToken(err) || err instanceof IssuerUnreachable) throw err;
      failedAt = performance.now();
      log.warn({ err, jwksUri }, 'could not fetch the keys of an issuer; those that are kept stay in use');
      throw new IssuerUnreachable('the keys cannot be fetched', { cause: err });
    }
  };
}

/** Returns true if no key of the issuer fits the token. Everything else is wrong with the issuer. */
const isOfToken = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWKSMultipleMatchingKeys ||
  error instanceof errors.JOSENotSupported;
