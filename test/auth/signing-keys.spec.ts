import { generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { loadSigningKeys } from '../../src/auth/tokens/signing-keys.ts';

const store = { keep: async (_: string, make: () => string) => make() };
const pemOf = (type: 'ed25519' | 'x25519') =>
  generateKeyPairSync(type as 'ed25519')
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();

describe('The signing keys', () => {
  test('are published without their private part, under the thumbprint of the key', async () => {
    const { jwks, kid } = await loadSigningKeys({ store });
    const [key] = jwks.keys;
    expect(jwks.keys).toHaveLength(1);
    expect(key).toStrictEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      x: expect.stringMatching(/^[\w-]{43}$/),
      kid,
      alg: 'EdDSA',
      use: 'sig',
    });
    expect(kid).toBe(await calculateJwkThumbprint(key!));
  });

  test('are the configured key on every start', async () => {
    const privateKeyPem = pemOf('ed25519');
    const first = await loadSigningKeys({ store, privateKeyPem });
    const second = await loadSigningKeys({ store, privateKeyPem });
    expect(second.kid).toBe(first.kid);
  });

  test('refuse a configured key of another type', async () => {
    await expect(loadSigningKeys({ store, privateKeyPem: pemOf('x25519') })).rejects.toThrow('Ed25519');
  });
});
