import { type KeyObject, createHash, createPublicKey, sign, verify } from 'node:crypto';
import { z } from 'zod';
import type { Hash } from './merkle.ts';

const base64url = (bytes: number) =>
  z
    .string()
    .refine(
      (text) =>
        Buffer.from(text, 'base64url').length === bytes &&
        Buffer.from(text, 'base64url').toString('base64url') === text,
      `must be ${bytes} bytes in base64url`,
    );

/** What the log was at a time: the promise that all events up to there never change. */
export const Checkpoint = z.strictObject({
  /** The number of events. */
  size: z.int().min(1),
  /** The root of their tree. */
  root: base64url(32),
  /** The hash of the checkpoint before; null for the first. */
  previous: base64url(32).nullable(),
  /** The position of the last of the events. */
  position: z.string().regex(/^\d{1,16}$/),
  at: z.iso.datetime({ precision: 3 }),
  /** RFC 7638 thumbprint of the public key. */
  keyId: base64url(32),
  signature: base64url(64),
});
export type Checkpoint = z.infer<typeof Checkpoint>;
export type Unsigned = Omit<Checkpoint, 'signature' | 'keyId'>;

/** Returns the text whose bytes are signed: seven lines, each with a line end. */
export const signedText = (checkpoint: Omit<Checkpoint, 'signature'>): string => {
  const { size, root, previous, position, at, keyId } = checkpoint;
  const lines = ['chat log checkpoint v1', size, root, previous ?? '', position, at, keyId];
  return lines.map((line) => `${line}\n`).join('');
};

/** Returns the hash by which the next checkpoint names this one. */
export const hashOf = (checkpoint: Checkpoint): string =>
  createHash('sha256').update(signedText(checkpoint)).digest('base64url');

export const rootOf = ({ root }: Pick<Checkpoint, 'root'>): Hash => Buffer.from(root, 'base64url');
export const positionOf = ({ position }: Pick<Checkpoint, 'position'>): number => Number(position);

/** The public key of a sealer, as `GET /.well-known/seal-keys.json` lists it. */
export const SealJwk = z
  .looseObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: base64url(32) })
  .meta({ id: 'SealKey' });
export type SealJwk = { kty: 'OKP'; crv: 'Ed25519'; x: string; kid: string; alg: 'EdDSA'; use: 'sig' };

/** RFC 7638: the required members in lexicographic order. */
export const keyIdOf = ({ x }: { x: string }): string =>
  createHash('sha256')
    .update(JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x }))
    .digest('base64url');

export interface SealKey {
  jwk: SealJwk;
  /** Signs the checkpoint. */
  sign(checkpoint: Unsigned): Checkpoint;
}

/** Creates the signer of an Ed25519 key. */
export function sealKey(privateKey: KeyObject): SealKey {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  const kid = keyIdOf({ x });
  return {
    jwk: { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' },
    sign(checkpoint) {
      const named = { ...checkpoint, keyId: kid };
      const signature = sign(null, Buffer.from(signedText(named)), privateKey).toString('base64url');
      return { ...named, signature };
    },
  };
}

/** The keys that a verifier trusts, by their ids. */
export type TrustedKeys = ReadonlyMap<string, KeyObject>;

/** Reads public keys. Their ids are made anew, so that none can claim the id of another. */
export const trustedKeys = (jwks: readonly { x: string }[]): TrustedKeys =>
  new Map(
    jwks.map(({ x }) => [
      keyIdOf({ x }),
      createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
    ]),
  );

/** Returns what is wrong with the signature of a checkpoint; undefined if nothing is. */
export function signatureFault(checkpoint: Checkpoint, keys: TrustedKeys): string | undefined {
  const { size, keyId, signature } = checkpoint;
  const key = keys.get(keyId);
  if (!key) return `the checkpoint of ${size} events is signed with a key that is not trusted: ${keyId}`;
  const bytes = Buffer.from(signedText(checkpoint));
  return verify(null, bytes, key, Buffer.from(signature, 'base64url'))
    ? undefined
    : `the signature of the checkpoint of ${size} events does not match`;
}

/** Returns why a checkpoint cannot be the next one; undefined if it can. */
export function orderFault(previous: Checkpoint | undefined, next: Checkpoint): string | undefined {
  if (previous && next.size === previous.size && hashOf(next) !== hashOf(previous))
    return `there are two checkpoints of ${next.size} events`;
  if (previous && next.size <= previous.size)
    return `the checkpoint of ${next.size} events stands behind that of ${previous.size}`;
  if (next.previous === (previous ? hashOf(previous) : null)) return undefined;
  return previous
    ? `the checkpoint of ${next.size} events does not name that of ${previous.size} as the one before`
    : `the checkpoint of ${next.size} events is not the first one: those before are missing`;
}
