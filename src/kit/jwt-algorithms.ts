import type { KeyObject } from 'node:crypto';

/** The algorithms of access tokens (RFC 7518, RFC 8037), the default first. */
export const JWT_ALGORITHMS = ['ES256', 'EdDSA', 'RS256'] as const;
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** Longer RSA keys make tokens that do not fit into the headers of many servers. */
const RSA_BITS = { least: 2_048, most: 8_192 };

/** Returns the one algorithm that a key is for; undefined for a key that signs no tokens. */
export function jwtAlgorithmOf(key: KeyObject): JwtAlgorithm | undefined {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ES256';
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  const isRsa = key.asymmetricKeyType === 'rsa';
  if (isRsa && modulusLength >= RSA_BITS.least && modulusLength <= RSA_BITS.most) return 'RS256';
  return undefined;
}

/** The algorithms by which others may sign: whoever can check one of their signatures can make none. */
export const ASYMMETRIC_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
] as const;
