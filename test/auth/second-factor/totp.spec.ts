import { Secret } from 'otpauth';
import { newRecoveryCodes } from '../../../src/auth/second-factor/recovery-codes.ts';
import { createSealedSecrets } from '../../../src/auth/second-factor/sealed-secrets.ts';
import { newTotpSecret, otpauthUrl, stepOf } from '../../../src/auth/second-factor/totp.ts';
import type { UserId } from '../../../src/events/ids.ts';

/** The secret of RFC 6238, appendix B. */
const SECRET = Secret.fromLatin1('12345678901234567890').base32;
/** Seconds and codes of appendix B for SHA-1, of which six digits count here. */
const VECTORS = [
  [59, '94287082'],
  [1_111_111_109, '07081804'],
  [1_111_111_111, '14050471'],
  [1_234_567_890, '89005924'],
  [2_000_000_000, '69279037'],
  [20_000_000_000, '65353130'],
] as const;

describe('a code of an authenticator', () => {
  test.each(VECTORS)('at %i s is that of RFC 6238', (seconds, digits) => {
    expect(stepOf(SECRET, digits.slice(2), seconds * 1_000)).toBe(Math.floor(seconds / 30));
  });

  test.each([
    [-61, undefined],
    [-31, undefined],
    [-30, 41_152_263],
    [0, 41_152_263],
    [29, 41_152_263],
    [30, 41_152_263],
    [59, 41_152_263],
    [60, undefined],
  ])('is accepted one step early and one step late, here %i s after its step began', (after, step) => {
    expect(stepOf(SECRET, '005924', (41_152_263 * 30 + after) * 1_000)).toBe(step);
  });

  test('has a secret of 160 bits and a URL that names server and account', () => {
    const secret = newTotpSecret();
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(secret).not.toBe(newTotpSecret());
    const url = new URL(otpauthUrl({ issuer: 'jobs.example.org', label: 'r&d+ada@example.org', secret }));
    expect([url.protocol, url.host, decodeURIComponent(url.pathname)]).toEqual([
      'otpauth:',
      'totp',
      '/jobs.example.org:r&d+ada@example.org',
    ]);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      ...{ secret, issuer: 'jobs.example.org' },
      ...{ algorithm: 'SHA1', digits: '6', period: '30' },
    });
  });
});

test('Ten recovery codes differ and have 80 bits', () => {
  const codes = newRecoveryCodes();
  expect(new Set(codes).size).toBe(10);
  for (const code of codes) expect(code).toMatch(/^(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}$/);
});

describe('a sealed secret', () => {
  const [ada, bob] = ['0199a000-0000-7000-8000-00000000000a', '0199a000-0000-7000-8000-00000000000b'] as [
    UserId,
    UserId,
  ];
  const secrets = createSealedSecrets(Buffer.alloc(32, 1));

  test('opens for its user, and is different each time', () => {
    const sealed = secrets.seal(ada, SECRET);
    expect(secrets.open(ada, sealed)).toBe(SECRET);
    expect(sealed.includes(SECRET)).toBe(false);
    expect(secrets.seal(ada, SECRET)).not.toEqual(sealed);
  });

  test('does not open for another user, with another key, or changed', () => {
    const sealed = secrets.seal(ada, SECRET);
    expect(() => secrets.open(bob, sealed)).toThrow();
    expect(() => createSealedSecrets(Buffer.alloc(32, 2)).open(ada, sealed)).toThrow();
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(() => secrets.open(ada, changed)).toThrow();
    }
    expect(() => secrets.open(ada, sealed.subarray(0, 20))).toThrow();
  });

  test('has hashes of codes that depend on user and key', () => {
    const hash = secrets.hashOf(ada, 'ABCD');
    expect(hash).toEqual(secrets.hashOf(ada, 'ABCD'));
    expect(hash).not.toEqual(secrets.hashOf(bob, 'ABCD'));
    expect(hash).not.toEqual(createSealedSecrets(Buffer.alloc(32, 2)).hashOf(ada, 'ABCD'));
  });
});
