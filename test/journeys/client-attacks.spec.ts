import { type KeyObject, createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, exportJWK } from 'jose';
import { io } from 'socket.io-client';
import { until } from '../../tools/until.ts';
import { type TestApp, startApp } from '../support/stages/app.ts';
import {
  type BoardClient,
  CREDENTIALS,
  type Form,
  exchangeOf,
  makeClient,
  postForm,
  tokenOf,
} from '../support/stages/service-clients.ts';
import {
  TEMPLATE_WITH_READ_MODELS,
  type TestDatabase,
  createTestDatabase,
} from '../support/stages/database.ts';
import { type TokenIssuer, makeIssuerKey, startTokenIssuer } from '../support/servers/token-issuer.ts';

/** The time after which a key that is gone from the issuer is refused here, once a new one was seen. */
const ROTATED_WITHIN_MS = 15_000;

/** Both nodes have it, so both would take an assertion for it. */
const PUBLIC_URL = 'https://chat.example.org';

const seconds = () => Math.floor(Date.now() / 1_000);
const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');
const pemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

/** A token whose signature is made by `sign`; without it, there is none. */
function handMade(header: object, claims: object, sign?: (input: string) => string): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${sign?.(input) ?? ''}`;
}
const hmacWith = (secret: string | Buffer) => (input: string) =>
  createHmac('sha256', secret).update(input).digest('base64url');

describe('an attacker of clients and issuers', () => {
  let database: TestDatabase;
  let issuer: TokenIssuer;
  let otherIssuer: TokenIssuer;
  let board: BoardClient;
  let other: BoardClient;
  let app: TestApp;
  let second: TestApp;
  /** Serves the attacker's keys, and counts who asks for them. */
  let trap: Server;
  let trapUrl: string;
  let asked = 0;
  let attackersKey: Awaited<ReturnType<typeof makeIssuerKey>>;

  beforeAll(async () => {
    attackersKey = await makeIssuerKey();
    trap = createServer((_request, response) => {
      asked += 1;
      response.end(JSON.stringify({ keys: [attackersKey.jwk] }));
    }).listen(0, '127.0.0.1');
    await once(trap, 'listening');
    trapUrl = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/jwks.json`;
    [database, issuer, otherIssuer] = await Promise.all([
      createTestDatabase(TEMPLATE_WITH_READ_MODELS),
      startTokenIssuer(),
      startTokenIssuer(),
    ]);
    board = await makeClient(database.ownerUrl);
    other = await makeClient(database.ownerUrl);
    const trust = ({ issuer: name, jwksUri, audience }: TokenIssuer, { clientId }: BoardClient) => ({
      ...{ issuer: name, jwksUri, audience, algorithms: ['RS256'], clientId, createUsers: true },
    });
    const env = {
      DATABASE_URL: database.ownerUrl,
      PUBLIC_URL,
      TRUSTED_ISSUERS: JSON.stringify([trust(issuer, board), trust(otherIssuer, other)]),
    };
    app = await startApp(env);
    second = await startApp(env);
  }, 60_000);
  afterAll(async () => {
    await second?.stop();
    await app?.stop();
    await Promise.all([issuer?.close(), otherIssuer?.close()]);
    trap.close();
    await database?.drop();
  });

  const exchange = async (token: string, node = app) => postForm(node.url, exchangeOf(token));
  const accepted = async (tokens: Record<string, string | Promise<string>>) => {
    const verdicts = await Promise.all(
      Object.entries(tokens).map(async ([name, token]) => {
        const { status, body } = await exchange(await token);
        return status === 400 &&
          body['error'] === 'invalid_request' &&
          body['code'] === 'SUBJECT_TOKEN_INVALID'
          ? []
          : [`${name}: ${status} ${JSON.stringify(body)}`];
      }),
    );
    return verdicts.flat();
  };
  const userOf = async (token: unknown) => {
    const { body } = await app.ask('GET', '/v1/me', {
      headers: { authorization: `Bearer ${String(token)}` },
    });
    return body as { id: string; role: string; email: string | null };
  };

  test('gets no token for a subject token that is forged, for others, or out of its time', async () => {
    const sub = randomUUID();
    expect((await exchange(await issuer.sign(sub))).status).toBe(200);
    const key = issuer.key();
    const claims = { iss: issuer.issuer, aud: issuer.audience, sub, exp: seconds() + 300 };
    const forged = (header: object) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'RS256', ...header })
        .sign(attackersKey.privateKey);
    const [head, payload, signature] = (await issuer.sign(sub)).split('.');
    const change = (part: Record<string, unknown>) => issuer.sign(sub, { claims: part });
    const attackersEc = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    expect(
      await accepted({
        'signed with the public key as a secret': handMade(
          ...[{ alg: 'HS256', kid: key.kid }, claims, hmacWith(pemOf(key.publicKey))],
        ),
        'signed with the JWK as a secret': handMade(
          ...[{ alg: 'HS256', kid: key.kid }, claims, hmacWith(JSON.stringify(key.jwk))],
        ),
        'without a signature': handMade({ alg: 'none' }, claims),
        'without a signature, with a kid': handMade({ alg: 'None', kid: key.kid }, claims),
        'its signature cut off': `${head}.${payload}.`,
        'its claims changed': `${head}.${encode({ ...claims, sub: 'victim' })}.${signature}`,
        'by another algorithm than the issuer uses': new SignJWT({ ...claims })
          .setProtectedHeader({ alg: 'PS256', kid: key.kid })
          .sign(key.privateKey),
        'by a key of the attacker under the kid of the issuer': forged({ kid: key.kid }),
        'by a key of the attacker without a kid': forged({}),
        'a kid that is a path': forged({ kid: '../../../../../../dev/null' }),
        'a kid that is SQL': forged({ kid: `x' union select '${pemOf(attackersKey.publicKey)}' --` }),
        'a kid that is a URL': forged({ kid: trapUrl }),
        'a kid that is no text': handMade({ alg: 'RS256', kid: { $ne: null } }, claims, () => 'AAAA'),
        'a jku': forged({ kid: attackersKey.kid, jku: trapUrl }),
        'an x5u': forged({ kid: attackersKey.kid, x5u: trapUrl }),
        'a key in the header': forged({ jwk: attackersKey.jwk, kid: attackersKey.kid }),
        'another key in the header': new SignJWT({ ...claims })
          .setProtectedHeader({ alg: 'ES256', jwk: await exportJWK(attackersEc.publicKey) })
          .sign(attackersEc.privateKey),
        'an unknown critical header': handMade(
          ...[{ alg: 'RS256', kid: key.kid, crit: ['x'], x: 1 }, claims, () => 'AAAA'],
        ),
        'another audience': change({ aud: 'another-server' }),
        'no audience': change({ aud: undefined }),
        expired: change({ exp: seconds() - 60 }),
        'without an end': change({ exp: undefined }),
        'an end that is no number': change({ exp: 'never' }),
        'not valid yet': change({ nbf: seconds() + 600 }),
        'without a subject': change({ sub: undefined }),
        'a subject that is no text': change({ sub: { $gt: '' } }),
        'a subject with a line end': change({ sub: 'ada\nadmin' }),
        'of an issuer that nobody trusts': change({ iss: trapUrl }),
        'of the other issuer, by this one': change({ iss: otherIssuer.issuer }),
        'a subject that is to be an auditor': change({ sub: randomUUID(), role: 'auditor' }),
        'a subject that is to be an admin': change({ sub: randomUUID(), role: 'admin' }),
        'a role that every object has': change({ sub: randomUUID(), role: 'constructor' }),
        'our own access token': app.register('applicant').then(({ accessToken }) => accessToken),
        'no token': 'none',
        'a very long one': `${'a'.repeat(9_000)}.${payload}.${signature}`,
      }),
    ).toStrictEqual([]);
    expect(asked).toBe(0);
  });

  test('gets nobody else’s account: neither by a subject of another issuer nor by an address', async () => {
    const sub = randomUUID();
    const [here, there] = [
      await exchange(await issuer.sign(sub)),
      await exchange(await otherIssuer.sign(sub)),
    ];
    expect([here.status, there.status]).toStrictEqual([200, 200]);
    const [one, two] = [await userOf(here.body['access_token']), await userOf(there.body['access_token'])];
    expect(one.id).not.toBe(two.id);

    const victim = await app.register('applicant');
    const claims = { email: victim.email, email_verified: true };
    expect(await exchange(await issuer.sign(randomUUID(), { claims }))).toMatchObject({
      ...{ status: 400, body: { error: 'invalid_request', code: 'EMAIL_TAKEN' } },
    });
    const foreign = await postForm(app.url, exchangeOf(await issuer.sign(sub)), other);
    expect(foreign).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } });
  });

  test('gets no client token for an assertion that is forged, for others, too long, or used', async () => {
    const endpoint = `${PUBLIC_URL}/v1/oauth/token`;
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    const formOf = (assertion: string): Form => ({
      ...{ ...CREDENTIALS, client_assertion_type: type, client_assertion: assertion },
    });
    const { clientId } = board;
    const claims = { iss: clientId, sub: clientId, aud: endpoint, jti: randomUUID(), exp: seconds() + 60 };
    const attackers = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const forged = (header: object) =>
      new SignJWT({ ...claims, jti: randomUUID() })
        .setProtectedHeader({ alg: 'ES256', ...header })
        .sign(attackers.privateKey);
    const change = (part: Record<string, unknown>) => board.assert(endpoint, { claims: part });
    const attempts: Record<string, string | Promise<string>> = {
      'signed with the public key as a secret': handMade(
        ...[{ alg: 'HS256' }, claims, hmacWith(JSON.stringify(board.publicKey))],
      ),
      'signed with the secret of the client': handMade(...[{ alg: 'HS256' }, claims, hmacWith(board.secret)]),
      'without a signature': handMade({ alg: 'none' }, claims),
      'by another key': forged({}),
      'by a key in the header': forged({ jwk: await exportJWK(attackers.publicKey) }),
      'by a key elsewhere': forged({ jku: trapUrl, kid: attackersKey.kid }),
      'a kid that is a path': forged({ kid: '/dev/null' }),
      'of another client for this one': other.assert(endpoint, { claims: { iss: clientId, sub: clientId } }),
      'of this client for another one': board.assert(endpoint, { claims: { sub: other.clientId } }),
      'for another server': board.assert('https://elsewhere.example/v1/oauth/token'),
      'for the address at which it is asked': board.assert(`${app.url}/v1/oauth/token`),
      'for two servers': board.assert([endpoint, 'https://elsewhere.example']),
      'for a list of one': board.assert([endpoint]),
      expired: change({ exp: seconds() - 60 }),
      'without an end': change({ exp: undefined }),
      'that lives too long': change({ exp: seconds() + 3_600 }),
      'not valid yet': change({ nbf: seconds() + 60 }),
      'without a jti': change({ jti: undefined }),
      'with an empty jti': change({ jti: '' }),
      'of an unknown client': board.assert(endpoint, { claims: { iss: randomUUID(), sub: randomUUID() } }),
      'of a client that is SQL': change({ iss: "' or true --", sub: "' or true --" }),
    };
    for (const [name, assertion] of Object.entries(attempts)) {
      const { status, body } = await postForm(app.url, formOf(await assertion));
      expect({ name, status, error: body['error'] }).toStrictEqual({
        name,
        status: 401,
        error: 'invalid_client',
      });
    }
    expect(asked).toBe(0);

    const used = formOf(await board.assert(endpoint));
    const nodes = [app, second, app, second, app, second];
    const answers = await Promise.all(nodes.map(({ url }) => postForm(url, used)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect((await postForm(app.url, used)).status).toBe(401);
  });

  test('gets no token with a secret of others, and learns nothing from the refusal', async () => {
    const secretOf = (clientId: string, secret: string) =>
      postForm(app.url, CREDENTIALS, { clientId, secret });
    const answers = [
      await secretOf(board.clientId, other.secret),
      await secretOf(board.clientId, ''),
      await secretOf(board.clientId, `${board.secret}%00`),
      await secretOf(randomUUID(), board.secret),
      await secretOf("' or true --", board.secret),
    ];
    for (const { status, headers, body } of answers) {
      expect(body).toStrictEqual(answers[0]!.body);
      expect({ status, challenge: headers.get('www-authenticate') }).toStrictEqual({
        ...{ status: 401, challenge: 'Basic realm="oauth"' },
      });
    }
    expect((await postForm(app.url, CREDENTIALS)).status).toBe(401);
    const beyond = await makeClient(database.ownerUrl, ['jobs:write']);
    for (const scope of ['jobs:write users:write', 'users:write', 'everything', ' '])
      expect(await postForm(app.url, { ...CREDENTIALS, scope }, beyond)).toMatchObject({
        ...{ status: 400, body: { error: 'invalid_scope' } },
      });
  });

  test('opens no socket with the token of a client', async () => {
    const auth = { token: await tokenOf(app.url, board) };
    const socket = io(app.url, { transports: ['websocket'], auth, reconnection: false });
    const refusal = new Promise<Error & { data?: { code: string } }>((resolve) =>
      socket.on('connect_error', resolve),
    );
    expect((await refusal).data?.code).toBe('USER_TOKEN_REQUIRED');
    socket.disconnect();
  });

  test('uses a key no longer that its issuer has replaced, while the new one works without a restart', async () => {
    const sub = randomUUID();
    const old = issuer.key();
    expect((await exchange(await issuer.sign(sub))).status).toBe(200);
    await issuer.rotate();
    await until(
      async () => (await exchange(await issuer.sign(sub))).status === 200,
      'the new key to be accepted',
      ROTATED_WITHIN_MS,
    );
    expect(await accepted({ 'the old key': issuer.sign(sub, { key: old }) })).toStrictEqual([]);
  }, 30_000);

  test('makes the server ask an issuer no more often than once in a short time', async () => {
    const before = issuer.fetches();
    const unknown = await makeIssuerKey();
    await Promise.all(
      Array.from({ length: 50 }, async () => exchange(await issuer.sign(randomUUID(), { key: unknown }))),
    );
    expect(issuer.fetches() - before).toBeLessThanOrEqual(2);
  });
});
