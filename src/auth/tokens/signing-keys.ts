import { type KeyObject, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { type JWK, calculateJwkThumbprint, exportJWK } from 'jose';
import { type JwtAlgorithm, jwtAlgorithmOf } from '../../kit/jwt-algorithms.ts';

/** A key that verifies access tokens, by one algorithm only. */
export interface VerifyingKey {
  /** RFC 7638 thumbprint of the public key. */
  kid: string;
  algorithm: JwtAlgorithm;
  publicKey: KeyObject;
  /** Of each of its signatures. */
  signatureBytes: number;
  /** The public key, as `GET /.well-known/jwks.json` shows it. */
  jwk: JWK;
}

/** A key that makes access tokens as well. */
export interface SigningKey extends VerifyingKey {
  privateKey: KeyObject;
}

/** Of ES256: two numbers of 32 bytes (RFC 7518 §3.4). Of Ed25519: RFC 8032. */
const SIGNATURE_BYTES = 64;
const RSA_MAKE_BITS = 2_048;

/** Makes a private key for an algorithm: PKCS #8 PEM. */
export function makeSigningKey(algorithm: JwtAlgorithm): string {
  const pair = {
    ES256: () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
    EdDSA: () => generateKeyPairSync('ed25519'),
    RS256: () => generateKeyPairSync('rsa', { modulusLength: RSA_MAKE_BITS }),
  }[algorithm]();
  return pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Loads a public key, or the public half of a private one. Throws for a key of another kind. */
export async function loadVerifyingKey(pem: string): Promise<VerifyingKey> {
  const publicKey = createPublicKey(pem);
  const algorithm = jwtAlgorithmOf(publicKey);
  if (algorithm === undefined)
    throw new Error('a key is neither of P-256, nor Ed25519, nor RSA of a good size');
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const { modulusLength } = publicKey.asymmetricKeyDetails ?? {};
  return {
    kid,
    algorithm,
    publicKey,
    signatureBytes: modulusLength === undefined ? SIGNATURE_BYTES : Math.ceil(modulusLength / 8),
    jwk: { ...jwk, kid, alg: algorithm, use: 'sig' },
  };
}

/** Loads a private key. Throws for a key of another kind. */
export const loadSigningKey = async (pem: string): Promise<SigningKey> => ({
  ...(await loadVerifyingKey(pem)),
  privateKey: createPrivateKey(pem),
});
