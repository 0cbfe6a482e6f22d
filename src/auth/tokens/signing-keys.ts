import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { type JWK, calculateJwkThumbprint, exportJWK } from 'jose';

/** The port of the keys that are made once and shared by all nodes. */
export interface SigningKeyStore {
  /** Resolves with the key of that name, and stores `make()` if there is none yet. The first process wins. */
  keep(name: string, make: () => string): Promise<string>;
}

export interface SigningKeys {
  privateKey: KeyObject;
  publicKey: KeyObject;
  /** RFC 7638 thumbprint of the public key. */
  kid: string;
  /** The body of `GET /.well-known/jwks.json`. */
  jwks: { keys: JWK[] };
  /** Derives the children of refresh tokens. */
  refreshSecret: Buffer;
  /** Keys the fingerprints of request bodies, so that a password in a body cannot be guessed from its fingerprint. */
  fingerprintSecret: Buffer;
  /** Signs links: to upload, to download, to unsubscribe. */
  linkSecret: Buffer;
  /** Encrypts the secrets of second factors, and keys the hashes of recovery codes. */
  secondFactorSecret: Buffer;
}

const makePem = () =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/**
 * Loads the given Ed25519 key (PKCS #8 PEM), or the one made at the first start. Throws when the given key is
 * of another kind.
 */
export async function loadSigningKeys({
  store,
  privateKeyPem,
}: {
  store: SigningKeyStore;
  privateKeyPem?: string | undefined;
}): Promise<SigningKeys> {
  const pem = privateKeyPem ?? (await store.keep('access-tokens', makePem));
  const privateKey = createPrivateKey(pem);
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('the signing key must be an Ed25519 key');
  const publicKey = createPublicKey(privateKey);
  const jwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(jwk);
  const secret = async (name: string) =>
    Buffer.from(await store.keep(name, () => randomBytes(32).toString('base64url')), 'base64url');
  return {
    privateKey,
    publicKey,
    kid,
    jwks: { keys: [{ ...jwk, kid, alg: 'EdDSA', use: 'sig' }] },
    refreshSecret: await secret('refresh-tokens'),
    fingerprintSecret: await secret('fingerprints'),
    linkSecret: await secret('links'),
    secondFactorSecret: await secret('second-factors'),
  };
}
