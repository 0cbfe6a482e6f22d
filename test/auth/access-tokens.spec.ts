import { createHmac, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { SignJWT, decodeProtectedHeader, exportJWK } from 'jose';
import { jest } from '@jest/globals';
import { createAccessTokens } from '../../src/auth/tokens/access-tokens.ts';
import { loadSigningKeys } from '../../src/auth/tokens/signing-keys.ts';
import { UserId } from '../../src/events/ids.ts';

const store = { keep: async (_: string, make: () => string) => make() };
const keys = await loadSigningKeys({ store });
const settings = { keys, issuer: 'https://chat.example.org', lifetimeSeconds: 600 };
const tokens = createAccessTokens(settings);
const actor = { userId: UserId.parse(randomUUID()), role: 'applicant' } as const;
const sessionId = randomUUID();
const stranger = generateKeyPairSync('ed25519').privateKey;

const seconds = () => Math.floor(Date.now() / 1000);

interface Forgery {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  key?: typeof stranger;
}

/** A token that differs from a valid one only in the given parts. */
function forge({ header = {}, claims = {}, key = keys.privateKey }: Forgery = {}): Promise<string> {
  const now = seconds();
  return new SignJWT({
    iss: settings.issuer,
    aud: 'slay-e-chatapp',
    sub: actor.userId,
    sid: sessionId,
    role: actor.role,
    jti: randomUUID(),
    iat: now,
    exp: now + 600,
    ...claims,
  })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: keys.kid, ...header })
    .sign(key);
}

const signHonestly = (signed: string) =>
  sign(null, Buffer.from(signed), keys.privateKey).toString('base64url');

const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** The same token under another header, signed by `signer`. */
async function resigned(header: object, signer: (signed: string) => string): Promise<string> {
  const [, payload] = (await forge()).split('.');
  const signed = `${encode(header)}.${payload}`;
  return `${signed}.${signer(signed)}`;
}

const faultOf = (token: string) =>
  tokens.verify(token).then(
    () => 'accepted',
    (error: { code: string }) => error.code,
  );

describe('An access token', () => {
  test('identifies the user, the role and the session it was issued for', async () => {
    const before = seconds();
    const token = await tokens.issue(actor, sessionId);
    const after = seconds();
    const session = await tokens.verify(token);
    expect(session).toStrictEqual({ actor, sessionId, expiresAt: expect.any(Number) });
    expect(session.expiresAt).toBeGreaterThanOrEqual((before + 600) * 1_000);
    expect(session.expiresAt).toBeLessThanOrEqual((after + 600) * 1_000);
    expect(decodeProtectedHeader(token)).toStrictEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: keys.kid });
  });

  test('is accepted with only the required claims, so that each forgery below fails for its own reason', async () => {
    expect(await faultOf(await forge())).toBe('accepted');
    expect(await faultOf(await forge({ claims: { exp: seconds() - 3 } }))).toBe('accepted');
    const header = { alg: 'EdDSA', typ: 'at+jwt', kid: keys.kid };
    expect(await faultOf(await resigned(header, signHonestly))).toBe('accepted');
  });

  test('costs one signature check when it is invalid, however often it is presented', async () => {
    const verify = jest.spyOn(crypto.subtle, 'verify');
    const bad = await forge({ key: stranger });
    expect(await Promise.all([faultOf(bad), faultOf(bad), faultOf(bad)])).toStrictEqual(
      Array.from({ length: 3 }, () => 'TOKEN_INVALID'),
    );
    expect(await faultOf(bad)).toBe('TOKEN_INVALID');
    expect(verify).toHaveBeenCalledTimes(1);
    expect(await faultOf(await forge({ claims: { exp: seconds() - 60 } }))).toBe('TOKEN_EXPIRED');
    verify.mockRestore();
  });

  const publicPem = keys.publicKey.export({ type: 'spki', format: 'pem' });
  const publicRaw = Buffer.from(keys.jwks.keys[0]!.x!, 'base64url');
  const hs256 = (secret: string | Buffer) => (signed: string) =>
    createHmac('sha256', secret).update(signed).digest('base64url');

  const forgeries: [string, () => Promise<string>][] = [
    ['alg none without a signature', () => resigned({ alg: 'none', typ: 'at+jwt', kid: keys.kid }, () => '')],
    [
      'alg none with a signature',
      async () => {
        const [, , signature] = (await forge()).split('.');
        return resigned({ alg: 'none', typ: 'at+jwt', kid: keys.kid }, () => signature!);
      },
    ],
    [
      'HS256 with the public key in PEM as secret',
      () => resigned({ alg: 'HS256', typ: 'at+jwt', kid: keys.kid }, hs256(publicPem)),
    ],
    [
      'HS256 with the bytes of the public key as secret',
      () => resigned({ alg: 'HS256', typ: 'at+jwt', kid: keys.kid }, hs256(publicRaw)),
    ],
    ['another key under our kid', () => forge({ key: stranger })],
    ['our key under another kid', () => forge({ header: { kid: 'another' } })],
    ['no kid', () => forge({ header: { kid: undefined } })],
    [
      'its own key in the jwk header',
      async () => forge({ key: stranger, header: { jwk: await exportJWK(stranger) } }),
    ],
    [
      'a jku header that leads elsewhere',
      () => forge({ key: stranger, header: { jku: 'http://127.0.0.1:9/jwks.json' } }),
    ],
    [
      'an unknown critical extension',
      () => resigned({ alg: 'EdDSA', typ: 'at+jwt', kid: keys.kid, crit: ['x'], x: 1 }, signHonestly),
    ],
    ['another audience', () => forge({ claims: { aud: 'another' } })],
    ['no audience', () => forge({ claims: { aud: undefined } })],
    ['another issuer', () => forge({ claims: { iss: 'https://evil.example' } })],
    ['the type of any JWT', () => forge({ header: { typ: 'JWT' } })],
    ['no type', () => forge({ header: { typ: undefined } })],
    ['no exp', () => forge({ claims: { exp: undefined } })],
    ['no iat', () => forge({ claims: { iat: undefined } })],
    ['no jti', () => forge({ claims: { jti: undefined } })],
    ['no session', () => forge({ claims: { sid: undefined } })],
    ['no subject', () => forge({ claims: { sub: undefined } })],
    ['an invalid subject', () => forge({ claims: { sub: 'root' } })],
    ['an unknown role', () => forge({ claims: { role: 'superuser' } })],
    ['an iat in the future', () => forge({ claims: { iat: seconds() + 60 } })],
    ['an nbf in the future', () => forge({ claims: { nbf: seconds() + 60 } })],
    ['trailing garbage', async () => `${await forge()}A`],
    ['a trailing dot', async () => `${await forge()}.`],
    ['a trailing space', async () => `${await forge()} `],
    ['a line break in the signature', async () => (await forge()).replace(/.{10}$/, '\n$&')],
    ['a changed payload', async () => (await forge()).replace(/\.(.)/, '.A')],
    ['a refresh token', async () => Buffer.alloc(32, 7).toString('base64url')],
    ['nothing', async () => ''],
    ['a megabyte', async () => 'a'.repeat(1_000_000)],
  ];

  test.each(forgeries)('with %s is TOKEN_INVALID', async (_, make) => {
    expect(await faultOf(await make())).toBe('TOKEN_INVALID');
  });

  test('that expired 6 s ago, or was issued longer ago than its lifetime, is TOKEN_EXPIRED', async () => {
    expect(await faultOf(await forge({ claims: { exp: seconds() - 6 } }))).toBe('TOKEN_EXPIRED');
    expect(await faultOf(await forge({ claims: { iat: seconds() - 700 } }))).toBe('TOKEN_EXPIRED');
  });

  test('that was verified before still expires', async () => {
    const token = await tokens.issue(actor, sessionId);
    const { expiresAt } = await tokens.verify(token);
    const clock = jest.spyOn(Date, 'now').mockReturnValue(expiresAt + 6_000);
    try {
      expect(await faultOf(token)).toBe('TOKEN_EXPIRED');
    } finally {
      clock.mockRestore();
    }
  });

  test('is verified once and then cached without a further signature check', async () => {
    const token = await tokens.issue(actor, sessionId);
    const first = await tokens.verify(token);
    expect(await tokens.verify(token)).toBe(first);
  });
});
