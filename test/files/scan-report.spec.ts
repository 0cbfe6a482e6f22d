import { type Nonces, ScanReport, signReport, verifyReport } from '../../src/files/inspect/scan-report.ts';
import { uuid } from '../support/language/example-events.ts';

const secret = 'a secret of at least 32 characters';
const body = Buffer.from('{"key":"…"}');
const nonce = 'AAAAAAAAAAAAAAAAAAAAAA';
const timestamp = 1_700_000_000;
const signed = signReport(secret, body, { timestamp, nonce });

function memory(): Nonces & { spent: Set<string> } {
  const spent = new Set<string>();
  return {
    spent,
    spend: async (each) => {
      const isNew = !spent.has(each);
      spent.add(each);
      return isNew;
    },
  };
}

const check = (
  changes: { headers?: Record<string, unknown>; body?: Buffer; secret?: string; at?: number } = {},
  nonces: Nonces = memory(),
) =>
  verifyReport(
    ['another secret', changes.secret ?? secret],
    { headers: { ...signed, ...changes.headers }, body: changes.body ?? body },
    { nonces, now: (changes.at ?? timestamp) * 1_000 },
  );

describe('a signed report', () => {
  test('is signed as documented: HMAC-SHA-256 over timestamp, nonce and body', () => {
    // Computed with: printf '1700000000.AAAAAAAAAAAAAAAAAAAAAA.{"key":"…"}' | openssl dgst -sha256 -hmac "$secret"
    expect(signed).toEqual({
      'x-scan-timestamp': '1700000000',
      'x-scan-nonce': nonce,
      'x-scan-signature': 'v1=9acc6298336be39cdeaa481849c47944a6b7e3419b004cc2e25a0c08ba3ddc68',
    });
  });

  test('is accepted within five minutes in both directions', async () => {
    for (const late of [0, 299, -299]) expect(await check({ at: timestamp + late })).toBe(true);
    for (const late of [301, -301]) expect(await check({ at: timestamp + late })).toBe(false);
  });

  test('is accepted once', async () => {
    const nonces = memory();
    expect([await check({}, nonces), await check({}, nonces)]).toEqual([true, false]);
  });

  test.each<[string, Parameters<typeof check>[0]]>([
    ['another body', { body: Buffer.from('{"key":"?"}') }],
    ['another secret', { secret: 'another secret of 32 characters …' }],
    ['another time', { headers: { 'x-scan-timestamp': String(timestamp + 1) } }],
    ['another nonce', { headers: { 'x-scan-nonce': 'BAAAAAAAAAAAAAAAAAAAAA' } }],
    ['no nonce', { headers: { 'x-scan-nonce': undefined } }],
    ['no signature', { headers: { 'x-scan-signature': undefined } }],
    ['a signature cut short', { headers: { 'x-scan-signature': signed['x-scan-signature']!.slice(0, -2) } }],
    [
      'an unknown version',
      { headers: { 'x-scan-signature': signed['x-scan-signature']!.replace('v1', 'v0') } },
    ],
    ['headers given twice', { headers: { 'x-scan-nonce': [nonce, nonce] } }],
    [
      'a dot moved from one part to the next',
      { headers: { 'x-scan-nonce': `${nonce}.{`, 'x-scan-timestamp': '17' } },
    ],
  ])('with %s is refused, and uses no nonce', async (_, changes) => {
    const nonces = memory();
    expect(await check(changes, nonces)).toBe(false);
    expect(nonces.spent.size).toBe(0);
  });

  test('that is too old uses no nonce either', async () => {
    const nonces = memory();
    expect(await check({ at: timestamp + 400 }, nonces)).toBe(false);
    expect(nonces.spent.size).toBe(0);
  });
});

describe('the content of a report', () => {
  const report = {
    key: `quarantine/${uuid(1)}`,
    etag: 'e',
    finding: { verdict: 'refused', reason: 'infected', signature: 'Eicar-Test' },
  };
  const is = (changes: object) => ScanReport.safeParse({ ...report, ...changes }).success;

  test('is a finding about an object in quarantine', () => {
    expect(is({})).toBe(true);
    expect(is({ finding: { verdict: 'cleared', sha256: 'ab'.repeat(32) } })).toBe(true);
  });

  test.each<object>([
    { key: `clean/${uuid(1)}` },
    { key: `quarantine/../clean/${uuid(1)}` },
    { key: 'quarantine/a' },
    { etag: '' },
    { finding: { verdict: 'cleared' } },
    { finding: { verdict: 'clean', sha256: 'ab'.repeat(32) } },
    { finding: { verdict: 'refused', reason: 'never-sent', signature: null } },
    { finding: { ...report.finding, sha256: 'ab'.repeat(32) } },
    { more: true },
  ])('is not %j', (changes) => expect(is(changes)).toBe(false));
});
