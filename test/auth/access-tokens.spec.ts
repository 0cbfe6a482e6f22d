import {
  type KeyObject,
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  randomUUID,
  sign,
} from 'node:crypto';
import { SignJWT, decodeProtectedHeader, exportJWK } from 'jose';
import { jest } from '@jest/globals';
import { createAccessKeys } from '../../src/auth/tokens/access-keys.ts';
import { createAccessTokens } from '../../src/auth/tokens/access-tokens.ts';
import { type SigningKey, loadSigningKey, makeSigningKey } from '../../src/auth/tokens/signing-keys.ts';
import { UserId } from '../../src/events/ids.ts';
import { JWT_ALGORITHMS, type JwtAlgorithm } from '../../src/kit/jwt-algorithms.ts';

const held = Object.fromEntries(
  await Promise.all(JWT_ALGORITHMS.map(async (name) => [name, await loadSigningKey(makeSigningKey(name))])),
) as Record<JwtAlgorithm, SigningKey>;
/** The versions in the store, the present one first, and how often they were looked for. */
const stored = { keys: [] as SigningKey[], looks: 0 };
const ring = {
  accepted: () => stored.keys,
  look: async () => {
    stored.looks += 1;
  },
};
beforeEach(() => {
  stored.keys = [];
  stored.looks = 0;
});
const settings = { issuer: 'https://chat.example.org', lifetimeSeconds: 600 };
const actor = { userId: UserId.parse(randomUUID()), role: 'applicant' } as const;
const sessionId = randomUUID();

const seconds = () => Math.floor(Date.now() / 1000);

const base = () => ({
  iss: settings.issuer,
  aud: 'slay-e-chatapp',
  sub: actor.userId,
  sid: sessionId,
  role: actor.role,
  jti: randomUUID(),
  iat: seconds(),
  exp: seconds() + 600,
});
const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');
const faultIn = (tokens: ReturnType<typeof createAccessTokens>, token: string) =>
  tokens.verify(token).then(
    () => 'accepted',
    (error: { code: string }) => error.code,
  );

interface Forgery {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  key?: KeyObject;
}

describe.each(JWT_ALGORITHMS)('An access token of %s', (alg) => {
  const keys = held[alg];
  const others = JWT_ALGORITHMS.filter((name) => name !== alg).map((name) => held[name]);
  const tokens = createAccessTokens({
    ...settings,
    keys: createAccessKeys({ given: keys, previous: others, ring }),
  });
  const stranger = createPrivateKey(makeSigningKey(alg));
  const faultOf = (token: string) => faultIn(tokens, token);

  /** A token that differs from a valid one only in the given parts. */
  const forge = ({ header = {}, claims = {}, key = keys.privateKey }: Forgery = {}): Promise<string> =>
    new SignJWT({ ...base(), ...claims })
      .setProtectedHeader({ alg, typ: 'at+jwt', kid: keys.kid, ...header })
      .sign(key);

  const signedBy = (key: KeyObject) => (signed: string) =>
    sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString(
      'base64url',
    );
  const signHonestly = signedBy(keys.privateKey);

  /** The same token under another header, signed by `signer`. */
  async function resigned(header: object, signer: (signed: string) => string): Promise<string> {
    const [, payload] = (await forge()).split('.');
    const signed = `${encode(header)}.${payload}`;
    return `${signed}.${signer(signed)}`;
  }

  /** A token whose signature bytes are changed. */
  async function resealed(change: (signature: Buffer) => Buffer): Promise<string> {
    const [header, payload, signature] = (await forge()).split('.');
    return `${header}.${payload}.${change(Buffer.from(signature!, 'base64url')).toString('base64url')}`;
  }

  test('identifies the user, the role and the session it was issued for', async () => {
    const before = seconds();
    const token = await tokens.issue(actor, sessionId);
    const after = seconds();
    const session = await tokens.verify(token);
    expect(session).toStrictEqual({ actor, sessionId, kid: keys.kid, expiresAt: expect.any(Number) });
    expect(session.expiresAt).toBeGreaterThanOrEqual((before + 600) * 1_000);
    expect(session.expiresAt).toBeLessThanOrEqual((after + 600) * 1_000);
    expect(decodeProtectedHeader(token)).toStrictEqual({ alg, typ: 'at+jwt', kid: keys.kid });
  });

  test('is accepted with only the required claims, so that each forgery below fails for its own reason', async () => {
    expect(await faultOf(await forge())).toBe('accepted');
    expect(await faultOf(await forge({ claims: { exp: seconds() - 3 } }))).toBe('accepted');
    const header = { alg, typ: 'at+jwt', kid: keys.kid };
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
  const publicRaw = Buffer.from((keys.jwk.x ?? keys.jwk.n)!, 'base64url');
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
    [
      'HS256 with the published key as secret',
      () => resigned({ alg: 'HS256', typ: 'at+jwt', kid: keys.kid }, hs256(JSON.stringify(keys.jwk))),
    ],
    ...others.map(({ algorithm, privateKey }): [string, () => Promise<string>] => [
      `our kid, but signed as ${algorithm} with that key of ours`,
      () =>
        new SignJWT(base())
          .setProtectedHeader({ alg: algorithm, typ: 'at+jwt', kid: keys.kid })
          .sign(privateKey),
    ]),
    ...others.map(({ algorithm, kid }): [string, () => Promise<string>] => [
      `the kid of our key of ${algorithm}, and its algorithm`,
      () => resigned({ alg: algorithm, typ: 'at+jwt', kid }, signHonestly),
    ]),
    ...others.map(({ algorithm, kid }): [string, () => Promise<string>] => [
      `the kid of our key of ${algorithm}`,
      () => forge({ header: { kid } }),
    ]),
    [
      'our key and kid under another algorithm',
      () =>
        resigned({ alg: alg === 'RS256' ? 'PS256' : 'RS256', typ: 'at+jwt', kid: keys.kid }, signHonestly),
    ],
    ['a kid that is no text', () => resigned({ alg, typ: 'at+jwt', kid: 7 }, signHonestly)],
    ['a kid of the prototype', () => resigned({ alg, typ: 'at+jwt', kid: '__proto__' }, signHonestly)],
    ['no signature', () => resealed(() => Buffer.alloc(0))],
    ['a signature of zeros', () => resealed((signature) => Buffer.alloc(signature.length))],
    ['a shorter signature', () => resealed((signature) => signature.subarray(1))],
    [
      'a signature with zeros before it',
      () => resealed((signature) => Buffer.concat([Buffer.alloc(1), signature])),
    ],
    [
      'a signature with zeros after it',
      () => resealed((signature) => Buffer.concat([signature, Buffer.alloc(1)])),
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
      () => resigned({ alg, typ: 'at+jwt', kid: keys.kid, crit: ['x'], x: 1 }, signHonestly),
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
    ['no issuer', () => forge({ claims: { iss: undefined } })],
    ['padding after the signature', async () => `${await forge()}==`],
    [
      'stray bits in the last character of the signature',
      async () => {
        const token = await forge();
        const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
        return token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1)!) + 1]!;
      },
    ],
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

describe('An access token of ES256', () => {
  const tokens = createAccessTokens({ ...settings, keys: createAccessKeys({ given: held.ES256, ring }) });
  const forge = (key: KeyObject, alg: string) =>
    new SignJWT(base()).setProtectedHeader({ alg, typ: 'at+jwt', kid: held.ES256.kid }).sign(key);

  test.each([
    ['P-384', 'ES384'],
    ['P-521', 'ES512'],
    ['secp256k1', 'ES256K'],
  ])('on the curve %s is TOKEN_INVALID, whatever it calls itself', async (namedCurve, algorithm) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve });
    const [, payload] = (await forge(held.ES256.privateKey, 'ES256')).split('.');
    for (const alg of ['ES256', algorithm]) {
      const signed = `${encode({ alg, typ: 'at+jwt', kid: held.ES256.kid })}.${payload}`;
      const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      expect(await faultIn(tokens, `${signed}.${signature.toString('base64url')}`)).toBe('TOKEN_INVALID');
    }
  });

  test('whose signature is in DER is TOKEN_INVALID', async () => {
    const [header, payload] = (await forge(held.ES256.privateKey, 'ES256')).split('.');
    const der = sign('sha256', Buffer.from(`${header}.${payload}`), held.ES256.privateKey);
    expect(await faultIn(tokens, `${header}.${payload}.${der.toString('base64url')}`)).toBe('TOKEN_INVALID');
  });

  test('whose signature somebody turned into its twin is of the same session, and no other', async () => {
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const token = await forge(held.ES256.privateKey, 'ES256');
    const [header, payload, signature] = token.split('.');
    const bytes = Buffer.from(signature!, 'base64url');
    const twin = (order - BigInt(`0x${bytes.toString('hex', 32)}`)).toString(16).padStart(64, '0');
    const turned = Buffer.concat([bytes.subarray(0, 32), Buffer.from(twin, 'hex')]).toString('base64url');
    expect(await tokens.verify(`${header}.${payload}.${turned}`)).toStrictEqual(await tokens.verify(token));
  });
});

describe('An access token of a key that others made', () => {
  const [first, second] = [held.ES256, held.EdDSA];
  const tokens = createAccessTokens({ ...settings, keys: createAccessKeys({ ring }) });
  const issuedBy = (key: SigningKey) =>
    createAccessTokens({ ...settings, keys: createAccessKeys({ given: key, ring }) }).issue(actor, sessionId);

  test('is accepted as soon as the key is found, although it was refused before', async () => {
    stored.keys = [first];
    const token = await issuedBy(second);
    expect(await faultIn(tokens, token)).toBe('TOKEN_INVALID');
    stored.keys = [first, second];
    expect(await faultIn(tokens, token)).toBe('accepted');
    expect(stored.looks).toBe(1);
  });

  test('is refused once the key is gone, also when it was accepted before', async () => {
    stored.keys = [first, second];
    const token = await issuedBy(second);
    expect(await faultIn(tokens, token)).toBe('accepted');
    stored.keys = [first];
    expect(await faultIn(tokens, token)).toBe('TOKEN_INVALID');
  });

  test('is of the algorithm of that key, from its first moment as the present one', async () => {
    for (const keys of [
      [first, second],
      [second, first],
    ]) {
      stored.keys = keys;
      const { alg, kid } = decodeProtectedHeader(await tokens.issue(actor, sessionId));
      expect({ alg, kid }).toEqual({ alg: keys[0]!.algorithm, kid: keys[0]!.kid });
    }
  });
});

describe('An access token of a server without a URL of its own', () => {
  const tokens = createAccessTokens({
    lifetimeSeconds: 600,
    keys: createAccessKeys({ given: held.ES256, ring }),
  });

  test('names the URL at which the client asked, and is accepted at every other', async () => {
    for (const issuer of ['http://127.0.0.1:3000', 'https://chat.example.org', undefined])
      expect(await faultIn(tokens, await tokens.issue(actor, sessionId, issuer))).toBe('accepted');
  });
});

describe('A token of a client, or that a client got for its user', () => {
  const key = held.ES256;
  const tokens = createAccessTokens({ ...settings, keys: createAccessKeys({ given: key, ring }) });
  const clientId = randomUUID();
  const forge = (claims: Record<string, unknown>): Promise<string> =>
    new SignJWT({ ...base(), ...claims })
      .setProtectedHeader({ alg: key.algorithm, typ: 'at+jwt', kid: key.kid })
      .sign(key.privateKey);
  const ofClient = { sub: clientId, client_id: clientId, scope: 'jobs:write', role: undefined };

  test('identifies the client with its scopes, for 10 minutes', async () => {
    const client = { clientId, sessionId, scopes: ['jobs:write', 'users:write'] as const };
    const { accessToken, expiresIn } = await tokens.issueToClient(client);
    expect(expiresIn).toBe(600);
    expect(await tokens.verify(accessToken)).toStrictEqual({
      ...{ ...client, kid: key.kid, expiresAt: expect.any(Number) as number },
    });
  });

  test('identifies the user, and the client that got it, for as long as was asked', async () => {
    const token = await tokens.issue(actor, sessionId, undefined, { clientId, lifetimeSeconds: 86_400 });
    const session = await tokens.verify(token);
    expect(session).toStrictEqual({
      ...{ actor, sessionId, kid: key.kid, clientId, expiresAt: expect.any(Number) as number },
    });
    expect(session.expiresAt).toBeGreaterThan(Date.now() + 86_000_000);
  });

  test('is one or the other: a token that could be both is neither', async () => {
    expect(await faultIn(tokens, await forge(ofClient))).toBe('accepted');
    for (const claims of [
      { ...ofClient, role: 'company' },
      { ...ofClient, client_id: randomUUID() },
      { ...ofClient, client_id: undefined },
      { ...ofClient, scope: undefined },
      { ...ofClient, sub: 'a client' },
      { ...ofClient, sid: undefined },
      { scope: 'jobs:write' },
    ])
      expect([claims, await faultIn(tokens, await forge(claims))]).toStrictEqual([claims, 'TOKEN_INVALID']);
    expect(await tokens.verify(await forge({ ...ofClient, scope: 'everything' }))).toMatchObject({
      scopes: [],
    });
  });

  test('lives no longer than its kind, whatever its end says', async () => {
    const old = (age: number, claims: object = {}) =>
      forge({ ...claims, iat: seconds() - age, exp: seconds() + 3_600 });
    expect(await faultIn(tokens, await old(650))).toBe('TOKEN_EXPIRED');
    expect(await faultIn(tokens, await old(650, ofClient))).toBe('TOKEN_EXPIRED');
    expect(await faultIn(tokens, await old(650, { client_id: 'slay-e-chatapp' }))).toBe('TOKEN_EXPIRED');
    expect(await faultIn(tokens, await old(80_000, { client_id: clientId }))).toBe('accepted');
    expect(await faultIn(tokens, await old(86_500, { client_id: clientId }))).toBe('TOKEN_EXPIRED');
  });
});
