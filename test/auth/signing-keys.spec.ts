import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { loadSigningKey, loadVerifyingKey, makeSigningKey } from '../../src/auth/tokens/signing-keys.ts';

const base64url = (length: number) => expect.stringMatching(new RegExp(`^[\\w-]{${length}}$`)) as string;

describe('A signing key', () => {
  test.each([
    ['ES256', { kty: 'EC', crv: 'P-256', x: base64url(43), y: base64url(43) }, 64],
    ['EdDSA', { kty: 'OKP', crv: 'Ed25519', x: base64url(43) }, 64],
    ['RS256', { kty: 'RSA', e: 'AQAB', n: base64url(342) }, 256],
  ] as const)(
    'of %s is published without its private part, under its thumbprint',
    async (algorithm, jwk, bytes) => {
      const key = await loadSigningKey(makeSigningKey(algorithm));
      expect(key).toMatchObject({ algorithm, signatureBytes: bytes });
      expect(key.jwk).toStrictEqual({ ...jwk, kid: key.kid, alg: algorithm, use: 'sig' });
      expect(key.kid).toBe(await calculateJwkThumbprint(key.jwk));
    },
  );

  test('verifies under the same id when only its public half is given', async () => {
    const pem = makeSigningKey('ES256');
    const half = createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString();
    expect((await loadVerifyingKey(half)).kid).toBe((await loadSigningKey(pem)).kid);
  });

  test.each([
    ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['secp256k1', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
    ['X25519', () => generateKeyPairSync('x25519')],
    ['Ed448', () => generateKeyPairSync('ed448')],
    ['RSA of 1024 bits', () => generateKeyPairSync('rsa', { modulusLength: 1_024 })],
    ['RSA-PSS', () => generateKeyPairSync('rsa-pss', { modulusLength: 2_048 })],
  ])('is refused when it is one of %s', async (_, make) => {
    const pem = make().privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await expect(loadSigningKey(pem)).rejects.toThrow('neither of P-256');
  });
});
