import { generateKeyPairSync } from 'node:crypto';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import {
  allowInsecureRequests,
  discoveryRequest,
  processDiscoveryResponse,
  validateJwtAccessToken,
} from 'oauth4webapi';
import { type TestApp, startApp } from '../support/stages/app.ts';

const AUDIENCE = 'slay-e-chatapp';
const ORIGIN = 'https://app.example.org';
const rsaKey = generateKeyPairSync('rsa', { modulusLength: 3_072 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();
const insecure = { [allowInsecureRequests]: true };

describe.each([
  ['ES256', {}],
  ['EdDSA', { JWT_ALGORITHM: 'EdDSA' }],
  ['RS256', { JWT_PRIVATE_KEY: rsaKey }],
])('A token of %s', (algorithm, env) => {
  let app: TestApp;
  let token: string;
  beforeAll(async () => {
    app = await startApp(env);
    ({ accessToken: token } = await app.register('applicant'));
  });
  afterAll(() => app.stop());

  test('is checked by servers that know the issuer alone, after OpenID Connect Discovery and RFC 9068', async () => {
    const issuer = new URL(app.url);
    const found = await discoveryRequest(issuer, insecure);
    const server = await processDiscoveryResponse(issuer, found);
    const asked = (accessToken: string) =>
      new Request('https://jobs.example.org/cv', { headers: { authorization: `Bearer ${accessToken}` } });
    const signingAlgorithms = [algorithm === 'EdDSA' ? 'Ed25519' : algorithm, algorithm];
    const options = { ...insecure, signingAlgorithms };
    expect(await validateJwtAccessToken(server, asked(token), AUDIENCE, options)).toMatchObject({
      iss: app.url,
      role: 'applicant',
    });
    const forged = token.replace(/\.[^.]{4}/, '.eyJh');
    for (const bad of [asked(forged), asked(`${token.slice(0, -8)}AAAAAAAA`)])
      await expect(validateJwtAccessToken(server, bad, AUDIENCE, options)).rejects.toThrow();
  });

  test('is checked by the published keys alone', async () => {
    const answer = await app.ask('GET', '/.well-known/openid-configuration');
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    const { issuer, jwks_uri: keysAt } = answer.body as { issuer: string; jwks_uri: string };
    const keys = createRemoteJWKSet(new URL(keysAt));
    const { protectedHeader } = await jwtVerify(token, keys, { issuer, audience: AUDIENCE, typ: 'at+jwt' });
    expect(protectedHeader.alg).toBe(algorithm);
    expect(answer.body).toMatchObject({ id_token_signing_alg_values_supported: [algorithm] });
  });

  test('names the URL at which the client asked', async () => {
    const elsewhere = app.url.replace('127.0.0.1', 'localhost');
    const { email, password } = await app.register('applicant');
    const logIn = await fetch(`${elsewhere}/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    });
    const { accessToken } = (await logIn.json()) as { accessToken: string };
    expect(decodeJwt(accessToken).iss).toBe(elsewhere);
    const me = await app.ask('GET', '/v1/me', { headers: { authorization: `Bearer ${accessToken}` } });
    expect(me.status).toBe(200);
  });
});

test('The issuer is the public URL as it is set, and pages of allowed origins may read about it', async () => {
  const app = await startApp({ PUBLIC_URL: 'https://jobs.example.org/chat/', ALLOWED_ORIGINS: ORIGIN });
  try {
    const { accessToken } = await app.register('company');
    expect(decodeJwt(accessToken).iss).toBe('https://jobs.example.org/chat/');
    for (const path of ['openid-configuration', 'jwks.json']) {
      const { headers } = await app.ask('GET', `/.well-known/${path}`, { headers: { origin: ORIGIN } });
      expect(headers.get('access-control-allow-origin')).toBe(ORIGIN);
    }
    expect((await app.ask('GET', '/.well-known/openid-configuration')).body).toEqual({
      issuer: 'https://jobs.example.org/chat/',
      jwks_uri: 'https://jobs.example.org/chat/.well-known/jwks.json',
      id_token_signing_alg_values_supported: ['ES256'],
      subject_types_supported: ['public'],
      response_types_supported: [],
      claims_supported: expect.arrayContaining(['iss', 'aud', 'sub', 'exp']) as string[],
      token_endpoint: 'https://jobs.example.org/chat/v1/oauth/token',
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: expect.not.arrayContaining([
        'HS256',
        'none',
      ]) as string[],
      grant_types_supported: ['client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'],
      scopes_supported: expect.arrayContaining(['users:write']) as string[],
    });
  } finally {
    await app.stop();
  }
});
