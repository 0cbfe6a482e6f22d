import { type JWTVerifyGetKey, jwtVerify } from 'jose';
import { createIssuerKeys } from '../../../src/adapters/jwks/issuer-keys.ts';
import { IssuerUnreachable } from '../../../src/auth/clients/token-exchange.ts';
import { until } from '../../../tools/until.ts';
import { linesOf } from '../../support/log-lines.ts';
import { type TokenIssuer, makeIssuerKey, startTokenIssuer } from '../../support/servers/token-issuer.ts';

describe('The keys of an issuer', () => {
  let issuer: TokenIssuer;
  beforeEach(async () => {
    issuer = await startTokenIssuer();
  });
  afterEach(() => issuer.close());

  const keysOf = (settings: { cachedMs?: number; askEveryMs?: number } = {}) =>
    createIssuerKeys({ jwksUri: issuer.jwksUri, log: linesOf('info').log, ...settings });
  const subjectOf = async (keys: JWTVerifyGetKey, token: string) =>
    (await jwtVerify(token, keys)).payload.sub;

  test('are fetched when a token needs them, and kept', async () => {
    const keys = keysOf();
    expect(issuer.fetches()).toBe(0);
    for (const sub of ['ada', 'bob']) expect(await subjectOf(keys, await issuer.sign(sub))).toBe(sub);
    expect(issuer.fetches()).toBe(1);
  });

  test('are fetched again for an unknown key, once in a short time', async () => {
    const keys = keysOf({ askEveryMs: 200 });
    const old = issuer.key();
    await subjectOf(keys, await issuer.sign('ada'));
    await issuer.rotate();
    await until(
      async () =>
        subjectOf(keys, await issuer.sign('ada')).then(
          () => true,
          () => false,
        ),
      'the new key to be accepted',
    );
    await expect(subjectOf(keys, await issuer.sign('ada', { key: old }))).rejects.toMatchObject({
      code: 'ERR_JWKS_NO_MATCHING_KEY',
    });
  });

  test('are used while the issuer is out of reach, as long as they are recent', async () => {
    const keys = keysOf({ cachedMs: 400, askEveryMs: 50 });
    await subjectOf(keys, await issuer.sign('ada'));
    issuer.state.answer = () => ({ status: 503 });
    expect(await subjectOf(keys, await issuer.sign('ada'))).toBe('ada');
    const unknown = await makeIssuerKey();
    await until(
      async () =>
        subjectOf(keys, await issuer.sign('ada', { key: unknown })).then(
          () => false,
          (error: unknown) => error instanceof IssuerUnreachable,
        ),
      'the issuer to be found out of reach',
    );
    await until(
      async () =>
        subjectOf(keys, await issuer.sign('ada')).then(
          () => false,
          (error: unknown) => error instanceof IssuerUnreachable,
        ),
      'the keys to be too old',
    );
    issuer.state.answer = undefined;
    await until(
      async () =>
        subjectOf(keys, await issuer.sign('ada')).then(
          () => true,
          () => false,
        ),
      'the keys to be fetched again',
    );
  });

  test('are asked for once in a short time when the issuer fails', async () => {
    issuer.state.answer = () => ({ status: 500 });
    const keys = keysOf();
    const token = await issuer.sign('ada');
    for (let n = 0; n < 20; n += 1)
      await expect(subjectOf(keys, token)).rejects.toBeInstanceOf(IssuerUnreachable);
    expect(issuer.fetches()).toBe(1);
  });

  test.each<[string, () => { status?: number; body?: string; location?: string } | 'silence']>([
    ['does not answer', () => 'silence'],
    ['leads elsewhere', () => ({ status: 302, location: 'https://elsewhere.example/jwks.json' })],
    ['is larger than keys are', () => ({ body: JSON.stringify({ keys: [], filler: 'x'.repeat(300_000) }) })],
    ['is no JSON', () => ({ body: '<html>' })],
    ['is no set of keys', () => ({ body: '{"keys":"none"}' })],
  ])('are not taken from an answer that %s', async (_, answer) => {
    issuer.state.answer = answer;
    await expect(subjectOf(keysOf(), await issuer.sign('ada'))).rejects.toBeInstanceOf(IssuerUnreachable);
  });
});
