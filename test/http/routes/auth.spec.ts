import Fastify, { type InjectOptions } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { createCheckPassword } from '../../../src/auth/passwords/check-password.ts';
import { createLogIn } from '../../../src/auth/log-in.ts';
import { RateLimited } from '../../../src/protocol/rate-limits.ts';
import { answerWithProblems } from '../../../src/http/hooks/answer-with-problems.ts';
import { chargeRequests } from '../../../src/http/hooks/charge-requests.ts';
import { checkWithZod } from '../../../src/http/describe-routes.ts';
import type { HttpApp } from '../../../src/http/route-deps.ts';
import { acceptJsonOnly } from '../../../src/http/json.ts';
import { authRoutes } from '../../../src/http/routes/account/auth.ts';
import { tokenKeyRoutes } from '../../../src/http/routes/account/token-keys.ts';
import { meRoutes } from '../../../src/http/routes/account/me.ts';
import { type AuthStage, ada, authStage } from '../../support/stages/auth-stage.ts';
import { EPOCH, positionsIn } from '../../support/stages/positions.ts';
import { rateLimitsOf } from '../../support/stages/rate-limits.ts';

let stage: AuthStage;
let app: ReturnType<typeof createApp>;

function createApp(loginsPerMinute: number) {
  const rateLimits = rateLimitsOf({ failedLoginsPerMinute: 10, loginsPerMinute });
  const fastify = Fastify({ trustProxy: '127.0.0.1' });
  fastify.setValidatorCompiler(checkWithZod);
  fastify.setSerializerCompiler(serializerCompiler);
  acceptJsonOnly(fastify);
  answerWithProblems(fastify, () => {});
  chargeRequests(fastify, rateLimits);
  const logIn = createLogIn({ ...stage, checkPassword: createCheckPassword({ ...stage, rateLimits }) });
  const positions = positionsIn({ head: async () => 0 });
  const deps = { ...stage, rateLimits, logIn, positions };
  authRoutes(fastify, deps);
  tokenKeyRoutes(fastify as unknown as HttpApp, deps);
  meRoutes(fastify, deps);
  return fastify;
}

beforeEach(async () => {
  stage = await authStage();
  app = createApp(60);
});
afterEach(async () => {
  await app.close();
  await stage.close();
});

const { email, password } = ada;
const post = (url: string, payload?: object, headers: InjectOptions['headers'] = {}) =>
  app.inject({ method: 'POST', url, ...(payload && { payload }), headers });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function register() {
  const answer = await post('/v1/auth/register', ada);
  expect(answer.statusCode).toBe(201);
  return answer.json<{ userId: string; position: string }>();
}
async function logIn() {
  const answer = await post('/v1/auth/login', { email, password });
  expect(answer.statusCode).toBe(200);
  return answer.json<{ accessToken: string; refreshToken: string; expiresIn: number; user: object }>();
}

describe('POST /v1/auth/register', () => {
  test('answers with the id and the position of the account', async () => {
    const answer = await register();
    expect(answer).toStrictEqual({
      userId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      position: `${EPOCH}.1`,
    });
  });

  test('answers 409 EMAIL_TAKEN to any spelling of the address', async () => {
    await register();
    const answer = await post('/v1/auth/register', { ...ada, email: ' ADA@example.org ' });
    expect(answer.statusCode).toBe(409);
    expect(answer.headers['content-type']).toMatch('application/problem+json');
    expect(answer.json()).toMatchObject({ code: 'EMAIL_TAKEN', status: 409, retryable: false });
  });

  test.each([
    ['a role that cannot register itself', { role: 'auditor' }, '/role'],
    ['a common password', { password: 'Passw0rd' }, '/password'],
    ['a common password with digits', { password: 'password123' }, '/password'],
    ['a password of blanks', { password: ' '.repeat(8) }, '/password'],
    ['the address as the password', { password: ada.email }, '/password'],
    ['the name in the password', { password: 'lovelace42', displayName: 'Ada Lovelace' }, '/password'],
    ['a short password', { password: 'short' }, '/password'],
    ['no address', { email: 'ada' }, '/email'],
    ['no name', { displayName: '' }, '/displayName'],
    ['an unknown field', { isAdmin: true }, '/isAdmin'],
  ])('refuses %s', async (_, wrong, pointer) => {
    const answer = await post('/v1/auth/register', { ...ada, ...wrong });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'BAD_REQUEST', errors: [{ pointer }] });
    expect(await stage.log()).toHaveLength(0);
  });
});

describe('POST /v1/auth/login', () => {
  beforeEach(register);

  test.each(['/v1/auth/login', '/login'])('is also served as %s', async (url) => {
    const answer = await post(url, { email, password });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toStrictEqual({
      accessToken: expect.any(String),
      refreshToken: expect.any(String),
      expiresIn: 600,
      refreshExpiresIn: 2_592_000,
      user: { id: expect.any(String), role: 'applicant', displayName: 'Ada' },
    });
  });

  test('gives the same answer for an unknown user and a wrong password', async () => {
    const wrongPassword = await post('/v1/auth/login', { email, password: 'wrong password' });
    const wrongUser = await post('/v1/auth/login', { email: 'nobody@example.org', password });
    const shortPassword = await post('/v1/auth/login', { email, password: 'x' });
    expect(wrongPassword.statusCode).toBe(401);
    expect(wrongPassword.json()).toMatchObject({ code: 'BAD_CREDENTIALS' });
    expect(wrongUser.body).toBe(wrongPassword.body);
    expect(shortPassword.body).toBe(wrongPassword.body);
  });

  test('answers 429 with Retry-After after ten failures from one address, and admits the user from another', async () => {
    const from = (address: string) => ({ 'x-forwarded-for': address });
    for (let guess = 0; guess < 10; guess += 1)
      await post('/login', { email, password: `guess ${guess}` }, from('192.0.2.66'));
    const refused = await post('/login', { email, password }, from('192.0.2.66'));
    expect(refused.statusCode).toBe(429);
    expect(refused.json()).toMatchObject({ code: 'RATE_LIMITED', retryable: true });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(50);
    expect(refused.headers['ratelimit']).toMatch(/^"failed-logins";r=0;t=\d+$/);
    expect((await post('/login', { email, password }, from('192.0.2.1'))).statusCode).toBe(200);
  });

  test('counts logins and registrations of an address together, but not refreshes', async () => {
    await app.close();
    app = createApp(3);
    const { refreshToken } = await logIn();
    const second = await post('/v1/auth/register', { ...ada, email: 'bob@example.org' });
    expect(second.headers['ratelimit-policy']).toBe('"logins";q=3;w=60');
    expect(second.headers['ratelimit']).toMatch(/^"logins";r=1;t=\d+$/);
    await logIn();
    expect((await post('/login', { email, password })).statusCode).toBe(429);
    expect((await post('/v1/auth/refresh', { refreshToken })).statusCode).toBe(200);
  });
});

describe('POST /v1/auth/refresh', () => {
  beforeEach(register);

  test('answers like a login, with a new refresh token', async () => {
    const first = await logIn();
    const answer = await post('/v1/auth/refresh', { refreshToken: first.refreshToken });
    expect(answer.statusCode).toBe(200);
    const second = answer.json<typeof first>();
    expect(Object.keys(second)).toStrictEqual(Object.keys(first));
    expect(second.user).toStrictEqual(first.user);
    expect(second.refreshToken).not.toBe(first.refreshToken);
  });

  test('answers 401 REFRESH_TOKEN_INVALID to a wrong token', async () => {
    const answer = await post('/v1/auth/refresh', { refreshToken: 'wrong' });
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toMatchObject({ code: 'REFRESH_TOKEN_INVALID' });
  });
});

describe('POST /v1/auth/logout', () => {
  beforeEach(register);

  test('answers 204 without a body and invalidates the tokens of the session', async () => {
    const { accessToken, refreshToken } = await logIn();
    const answer = await post('/v1/auth/logout', undefined, bearer(accessToken));
    expect([answer.statusCode, answer.body]).toStrictEqual([204, '']);
    const again = await app.inject({ url: '/v1/me', headers: bearer(accessToken) });
    expect(again.json()).toMatchObject({ status: 401, code: 'TOKEN_REVOKED' });
    expect((await post('/v1/auth/refresh', { refreshToken })).statusCode).toBe(401);
  });
});

describe('GET /.well-known/jwks.json', () => {
  test('contains the key that verifies our access tokens', async () => {
    await register();
    const { accessToken } = await logIn();
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    const keySet = createRemoteJWKSet(new URL('/.well-known/jwks.json', address));
    const { payload, protectedHeader } = await jwtVerify(accessToken, keySet, {
      audience: 'slay-e-chatapp',
      typ: 'at+jwt',
    });
    expect(protectedHeader.alg).toBe('ES256');
    expect(Object.keys(payload).toSorted()).toStrictEqual(
      ['aud', 'client_id', 'exp', 'iat', 'iss', 'jti', 'role', 'sid', 'sub'].toSorted(),
    );
    expect((await (await fetch(new URL('/.well-known/jwks.json', address))).text()).includes('"d"')).toBe(
      false,
    );
  });
});

describe('/v1/me', () => {
  let headers: { authorization: string };
  let userId: string;
  beforeEach(async () => {
    ({ userId } = await register());
    headers = bearer((await logIn()).accessToken);
  });

  test('describes the caller', async () => {
    const answer = await app.inject({ url: '/v1/me', headers });
    expect(answer.json()).toStrictEqual({
      ...{ id: userId, userId, role: 'applicant', displayName: 'Ada', email },
      ...{
        emailVerified: false,
        totpEnabled: false,
        erasure: null,
        features: ['private-conversations', 'hiring-teams'],
        epoch: EPOCH,
      },
    });
  });

  test.each([
    ['/v1/me/password', { currentPassword: 'a guess', newPassword: 'a long enough secret' }],
    ['/v1/me/email', { email: 'bob@example.org', password: 'a guess' }],
  ])('limits password guesses by PUT %s as strictly as logins', async (url, payload) => {
    const guess = () => app.inject({ method: 'PUT', url, headers, payload });
    for (let guesses = 0; guesses < 10; guesses += 1)
      expect((await guess()).json()).toMatchObject({ status: 403, code: 'BAD_CREDENTIALS' });
    expect((await guess()).json()).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    const login = stage.logIn({ email, password, address: '127.0.0.1' });
    await expect(login).rejects.toThrow(RateLimited);
  });

  test('shows a new name in its own answer, in the next query and at the next login', async () => {
    const payload = { displayName: 'Ada Lovelace' };
    const changed = await app.inject({ method: 'PATCH', url: '/v1/me', headers, payload });
    expect(changed.statusCode).toBe(200);
    expect(changed.json()).toMatchObject({ id: userId, displayName: 'Ada Lovelace', position: `${EPOCH}.2` });
    const asked = await app.inject({ url: '/v1/me', headers });
    expect(asked.json()).toMatchObject({ displayName: 'Ada Lovelace' });
    expect((await logIn()).user).toMatchObject({ displayName: 'Ada Lovelace' });
  });

  test('changes nothing when the body names no change', async () => {
    const changed = await app.inject({ method: 'PATCH', url: '/v1/me', headers, payload: {} });
    expect(changed.json()).toMatchObject({ displayName: 'Ada', position: `${EPOCH}.1` });
    expect(await stage.log()).toHaveLength(1);
  });

  test.each([
    ['no header', {}, 'TOKEN_MISSING'],
    ['another scheme', { authorization: 'Basic YTpi' }, 'TOKEN_MISSING'],
    ['an empty token', { authorization: 'Bearer ' }, 'TOKEN_MISSING'],
    ['no token of ours', { authorization: 'Bearer abc' }, 'TOKEN_INVALID'],
  ])('answers 401 to %s, before it reads the body', async (_, wrong, code) => {
    const answer = await app.inject({ method: 'PATCH', url: '/v1/me', headers: wrong, payload: { bad: 1 } });
    expect(answer.json()).toMatchObject({ status: 401, code });
    expect(answer.headers['www-authenticate']).toMatch('Bearer');
  });

  test('accepts the scheme in any case, but nothing after the token', async () => {
    const [, token = ''] = headers.authorization.split(' ');
    const ask = (authorization: string) => app.inject({ url: '/v1/me', headers: { authorization } });
    expect((await ask(`bearer ${token}`)).statusCode).toBe(200);
    expect((await ask(`Bearer ${token} more`)).json()).toMatchObject({ code: 'TOKEN_INVALID' });
  });
});
