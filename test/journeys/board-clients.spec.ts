import { randomUUID } from 'node:crypto';
import * as oauth from 'oauth4webapi';
import { type Socket, io } from 'socket.io-client';
import { until } from '../../tools/until.ts';
import { type Answer, type Person, type TestApp, startApp } from '../support/stages/app.ts';
import {
  type BoardClient,
  CREDENTIALS,
  exchangeOf,
  makeClient,
  onClients,
  postForm,
  tokenOf,
} from '../support/stages/service-clients.ts';
import {
  TEMPLATE_WITH_READ_MODELS,
  type TestDatabase,
  createTestDatabase,
} from '../support/stages/database.ts';
import { type TokenIssuer, startTokenIssuer } from '../support/servers/token-issuer.ts';

/** The longest time for which any node may still accept an ended session. */
const ENDED_WITHIN_MS = 5_000;

describe('a board with accounts of its own', () => {
  let database: TestDatabase;
  let issuer: TokenIssuer;
  let board: BoardClient;
  let other: BoardClient;
  let app: TestApp;
  let second: TestApp;
  let token: string;
  let otherToken: string;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    [database, issuer] = await Promise.all([
      createTestDatabase(TEMPLATE_WITH_READ_MODELS),
      startTokenIssuer(),
    ]);
    board = await makeClient(database.ownerUrl);
    other = await makeClient(database.ownerUrl);
    const trusted = {
      ...{ issuer: issuer.issuer, jwksUri: issuer.jwksUri, audience: issuer.audience },
      ...{ algorithms: ['RS256'], clientId: board.clientId, createUsers: true },
    };
    const env = { DATABASE_URL: database.ownerUrl, TRUSTED_ISSUERS: JSON.stringify([trusted]) };
    app = await startApp(env);
    second = await startApp(env);
    token = await tokenOf(app.url, board);
    otherToken = await tokenOf(app.url, other);
  }, 60_000);
  afterAll(async () => {
    for (const socket of sockets) socket.disconnect();
    await second?.stop();
    await app?.stop();
    await issuer?.close();
    await database?.drop();
  });

  const bearer = (accessToken: string) => ({ authorization: `Bearer ${accessToken}` });
  const asClient = (method: string, path: string, body?: unknown, headers = {}): Promise<Answer> =>
    app.ask(method, path, { body, headers: { ...bearer(token), ...headers } });
  const actingFor = (userId: string, method: string, path: string, body?: unknown, headers = {}) =>
    asClient(method, path, body, { 'x-act-as': userId, ...headers });

  async function provision(role: 'company' | 'applicant', displayName: string, externalId = randomUUID()) {
    const answer = await asClient('PUT', `/v1/users/${externalId}`, { role, displayName });
    expect(answer.status).toBe(201);
    return { externalId, userId: answer.body['userId'] as string };
  }
  const tokenFor = async (userId: string, ttlSeconds = 3_600) => {
    const answer = await asClient('POST', `/v1/users/${userId}/tokens`, { ttlSeconds });
    expect(answer).toMatchObject({ status: 201, body: { expiresIn: ttlSeconds } });
    return answer.body['accessToken'] as string;
  };
  const codeOf = async (node: TestApp, accessToken: string): Promise<unknown> => {
    const { status, body } = await node.ask('GET', '/v1/me', { headers: bearer(accessToken) });
    return status === 200 ? 'let in' : body['code'];
  };
  async function openSocket(node: TestApp, accessToken: string): Promise<Socket> {
    const socket = io(node.url, {
      ...{ transports: ['websocket'], auth: { token: accessToken }, reconnection: false },
    });
    sockets.push(socket);
    await until(() => socket.connected, 'the socket to open');
    return socket;
  }

  test('takes part in three requests: a token, a user, and a token of the user', async () => {
    const { userId } = await provision('applicant', 'Ada');
    const accessToken = await tokenFor(userId);
    const me = await app.ask('GET', '/v1/me', { headers: bearer(accessToken) });
    expect(me.body).toMatchObject({ id: userId, displayName: 'Ada', role: 'applicant', email: null });
    const socket = await openSocket(second, accessToken);
    expect(socket.connected).toBe(true);
    const sessions = await app.ask('GET', '/v1/me/sessions', { headers: bearer(accessToken) });
    expect(sessions.body['data']).toHaveLength(1);
    await app.ask('POST', '/v1/auth/logout', { headers: bearer(accessToken) });
    await until(
      async () => !socket.connected && (await codeOf(second, accessToken)) === 'TOKEN_REVOKED',
      'the session to end on the other node',
      ENDED_WITHIN_MS,
    );
  });

  test('gets tokens with a stock OAuth library, by secret, by assertion and by exchange', async () => {
    const url = new URL(app.url);
    const insecure = { [oauth.allowInsecureRequests]: true };
    const server = await oauth
      .discoveryRequest(url, { ...insecure, algorithm: 'oidc' })
      .then((answer) => oauth.processDiscoveryResponse(url, answer));
    const client: oauth.Client = { client_id: board.clientId };
    const basic = oauth.ClientSecretBasic(board.secret);
    const answer = await oauth.clientCredentialsGrantRequest(
      ...[server, client, basic, { scope: 'users:write' }, insecure],
    );
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const granted = await oauth.processClientCredentialsResponse(server, client, answer);
    expect(granted).toMatchObject({ token_type: 'bearer', expires_in: 600, scope: 'users:write' });
    const wrong = await oauth.clientCredentialsGrantRequest(
      ...[server, client, oauth.ClientSecretBasic('wrong'), {}, insecure],
    );
    expect(wrong.status).toBe(401);
    const refused = await oauth.clientCredentialsGrantRequest(
      ...[server, client, basic, { scope: 'everything' }, insecure],
    );
    await expect(oauth.processClientCredentialsResponse(server, client, refused)).rejects.toMatchObject({
      error: 'invalid_scope',
      error_description: expect.any(String),
    });
    const exchanged = await oauth.genericTokenEndpointRequest(
      ...[server, client, oauth.None(), 'urn:ietf:params:oauth:grant-type:token-exchange'],
      {
        subject_token: await issuer.sign(randomUUID()),
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      },
      insecure,
    );
    const session = await oauth.processGenericTokenEndpointResponse(server, client, exchanged);
    expect(session['issued_token_type']).toBe('urn:ietf:params:oauth:token-type:access_token');
    expect(await codeOf(app, session.access_token)).toBe('let in');
  });

  test('gets a token for an assertion that names the server or its endpoint, once', async () => {
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    for (const audience of [app.url, `${app.url}/v1/oauth/token`]) {
      const form = {
        ...{ ...CREDENTIALS, client_assertion_type: type },
        client_assertion: await board.assert(audience),
      };
      expect(await postForm(app.url, form)).toMatchObject({ status: 200, body: { expires_in: 600 } });
      expect(await postForm(second.url, form)).toMatchObject({
        ...{ status: 401, body: { error: 'invalid_client', code: 'INVALID_CLIENT' } },
      });
    }
  });

  test('is told what is wrong with a request for a token in the words of OAuth and in those of problems', async () => {
    const exchange = exchangeOf(await issuer.sign(randomUUID()));
    const told = async (form: Record<string, string>) => {
      const { status, headers, body } = await postForm(app.url, form, board);
      expect(headers.get('content-type')).toBe('application/json');
      expect(body).toMatchObject({
        status,
        error_description: expect.any(String),
        retryable: expect.any(Boolean),
      });
      return `${status} ${String(body['error'])} ${String(body['code'])}`;
    };
    expect([
      await told({}),
      await told({ grant_type: 'password' }),
      await told({ ...CREDENTIALS, client_assertion: 'x', client_assertion_type: 'x' }),
      await told({ ...exchange, subject_token: '' }),
      await told({ ...exchange, subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }),
      await told({ ...exchange, requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
      await told({ ...exchange, actor_token: 'x' }),
      await told({ ...exchange, audience: 'https://elsewhere.example' }),
      await told({ ...exchange, resource: 'https://elsewhere.example' }),
    ]).toStrictEqual([
      '400 invalid_request BAD_REQUEST',
      '400 unsupported_grant_type UNSUPPORTED_GRANT_TYPE',
      ...Array.from({ length: 5 }, () => '400 invalid_request BAD_REQUEST'),
      ...['400 invalid_target INVALID_TARGET', '400 invalid_target INVALID_TARGET'],
    ]);
    expect((await postForm(app.url, { ...exchange, audience: app.url }, board)).status).toBe(200);

    const asJson = await app.ask('POST', '/v1/oauth/token', { body: CREDENTIALS });
    expect(asJson).toMatchObject({
      status: 415,
      body: {
        error: 'invalid_request',
        code: 'UNSUPPORTED_MEDIA_TYPE',
        detail: expect.stringContaining('form'),
      },
    });
    const twice = await app.ask('POST', '/v1/oauth/token', {
      payload: 'grant_type=client_credentials&grant_type=client_credentials',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(twice).toMatchObject({
      ...{ status: 400, body: { error_description: 'grant_type: Must not occur twice' } },
    });
  });

  test('is told to come back when its own login cannot be asked about a new key', async () => {
    const lonely = await startTokenIssuer();
    const client = await makeClient(database.ownerUrl);
    const { issuer: name, jwksUri, audience } = lonely;
    const trusted = { issuer: name, jwksUri, audience, algorithms: ['RS256'], clientId: client.clientId };
    const third = await startApp({
      ...{ DATABASE_URL: database.ownerUrl, TRUSTED_ISSUERS: JSON.stringify([trusted]) },
    });
    try {
      lonely.state.answer = () => ({ status: 500 });
      const { status, headers, body } = await postForm(
        ...([third.url, exchangeOf(await lonely.sign(randomUUID()))] as const),
      );
      expect({ status, body }).toMatchObject({
        ...{ status: 503, body: { error: 'temporarily_unavailable', code: 'UNAVAILABLE', retryable: true } },
      });
      expect(headers.get('retry-after')).toBe('1');
    } finally {
      await third.stop();
      await lonely.close();
    }
  }, 30_000);

  test('makes a user once, finishes what was begun, and changes its name and address', async () => {
    const externalId = randomUUID();
    const email = `${randomUUID()}@example.org`;
    const put = (body: object) => asClient('PUT', `/v1/users/${externalId}`, body);
    const ada = { role: 'applicant', displayName: 'Ada', email, emailVerified: true };
    const [first, again] = await Promise.all([put(ada), put(ada)]);
    expect([first.status, again.status].toSorted()).toStrictEqual([200, 201]);
    expect(first.body['userId']).toBe(again.body['userId']);
    const userId = first.body['userId'] as string;

    const renamed = await put({ ...ada, displayName: 'Ada Lovelace' });
    expect(renamed).toMatchObject({ status: 200, body: { userId } });
    const me = { headers: bearer(await tokenFor(userId)) };
    expect((await app.ask('GET', '/v1/me', me)).body).toMatchObject({
      ...{ displayName: 'Ada Lovelace', email, emailVerified: true },
    });
    expect(await put({ ...ada, role: 'company' })).toMatchObject({
      ...{ status: 409, body: { code: 'ROLE_FIXED' } },
    });
    expect((await put({ ...ada, role: 'auditor' })).status).toBe(400);
    const taken = await asClient('PUT', `/v1/users/${randomUUID()}`, ada);
    expect(taken).toMatchObject({ status: 409, body: { code: 'EMAIL_TAKEN' } });

    const log = await app.ask('POST', '/v1/auth/login', { body: { email, password: 'anything at all' } });
    expect(log).toMatchObject({ status: 401, body: { code: 'BAD_CREDENTIALS' } });
  });

  test('acts for its user, with the rights of the user, and auditors see both', async () => {
    const [company, applicant, stranger] = [
      await provision('company', 'Acme'),
      await provision('applicant', 'Ada'),
      await provision('applicant', 'Eve'),
    ];
    const posting = { title: 'Engineer', description: 'Builds engines' };
    const key = { 'idempotency-key': randomUUID() };
    const job = await actingFor(company.userId, 'POST', '/v1/jobs', posting, key);
    expect(job.status).toBe(201);
    expect((await actingFor(company.userId, 'POST', '/v1/jobs', posting, key)).body).toStrictEqual(job.body);
    expect(await actingFor(applicant.userId, 'POST', '/v1/jobs', posting)).toMatchObject({
      ...{ status: 403, body: { code: 'ROLE_NOT_ALLOWED' } },
    });
    const { jobId, groupId } = job.body as { jobId: string; groupId: string };
    const applied = await actingFor(applicant.userId, 'POST', `/v1/jobs/${jobId}/applications`, {});
    expect(applied.status).toBe(201);

    const path = `/v1/groups/${groupId}/messages`;
    const message = { clientMsgId: randomUUID(), text: 'Hello' };
    const sent = await actingFor(applicant.userId, 'POST', path, message);
    expect(sent.status).toBe(201);
    expect(await actingFor(applicant.userId, 'POST', path, message)).toMatchObject({
      ...{ status: 200, body: { duplicate: true, messageId: sent.body['messageId'] } },
    });
    expect((await actingFor(stranger.userId, 'POST', path, message)).status).toBe(404);
    const min = { 'x-min-position': sent.body['position'] as string };
    const history = await actingFor(applicant.userId, 'GET', path, undefined, min);
    expect(history.body['data']).toMatchObject([{ senderId: applicant.userId, text: 'Hello' }]);

    const auditor = await app.hireAuditor();
    const lines = await app.ask('GET', `/v1/audit/events?stream=conversation-${groupId}`, { as: auditor });
    const [line] = lines.text.split('\n').map((text) => JSON.parse(text || 'null') as object);
    expect(line).toMatchObject({ actorId: applicant.userId, via: { clientId: board.clientId } });
    expect(await actingFor(auditor.userId, 'POST', path, message)).toMatchObject({
      ...{ status: 403, body: { code: 'ROLE_NOT_ALLOWED' } },
    });
  }, 30_000);

  test('reaches no user of others: neither of another client nor of the server itself', async () => {
    const { userId } = await provision('applicant', 'Ada');
    const registered: Person = await app.register('applicant');
    const message = { clientMsgId: randomUUID(), text: 'Hello' };
    const paths: [string, string, unknown][] = [
      ['POST', `/v1/users/ID/tokens`, { ttlSeconds: 60 }],
      ['POST', `/v1/users/ID/deactivate`, undefined],
      ['POST', `/v1/users/ID/reactivate`, undefined],
    ];
    const refusals = [];
    for (const [id, authorization] of [
      [userId, otherToken],
      [registered.userId, token],
      [randomUUID(), token],
    ] as const) {
      for (const [method, path, body] of paths)
        refusals.push(
          await app.ask(method, path.replace('ID', id), { body, headers: bearer(authorization) }),
        );
      const headers = { ...bearer(authorization), 'x-act-as': id };
      refusals.push(await app.ask('POST', `/v1/groups/${randomUUID()}/messages`, { body: message, headers }));
    }
    expect(refusals.map(({ status, body }) => [status, body['code']])).toStrictEqual(
      refusals.map(() => [404, 'USER_NOT_FOUND']),
    );
  });

  test('deactivates its user: sessions and sockets end on every node, and nothing more is issued', async () => {
    const { userId } = await provision('applicant', 'Ada');
    const accessToken = await tokenFor(userId, 86_400);
    const socket = await openSocket(second, accessToken);
    expect((await asClient('POST', `/v1/users/${userId}/deactivate`)).body).toStrictEqual({
      ...{ userId, active: false },
    });
    await until(
      async () =>
        !socket.connected &&
        (await codeOf(app, accessToken)) === 'TOKEN_REVOKED' &&
        (await codeOf(second, accessToken)) === 'TOKEN_REVOKED',
      'the session to end on both nodes',
      ENDED_WITHIN_MS,
    );
    const suspended = { status: 403, body: { code: 'ACCOUNT_SUSPENDED' } };
    expect(await asClient('POST', `/v1/users/${userId}/tokens`, { ttlSeconds: 60 })).toMatchObject(suspended);
    const message = { clientMsgId: randomUUID(), text: 'Hello' };
    expect(await actingFor(userId, 'POST', `/v1/groups/${randomUUID()}/messages`, message)).toMatchObject(
      suspended,
    );
    expect((await asClient('POST', `/v1/users/${userId}/deactivate`)).status).toBe(200);
    expect((await asClient('POST', `/v1/users/${userId}/reactivate`)).body).toStrictEqual({
      ...{ userId, active: true },
    });
    expect(await codeOf(app, await tokenFor(userId))).toBe('let in');
  });

  test('names a scope that is missing, and tells clients and users apart', async () => {
    const { userId } = await provision('applicant', 'Ada');
    const narrow = bearer(await tokenOf(app.url, board, { scope: 'jobs:write' }));
    const calls: [string, string, unknown, string][] = [
      ['PUT', `/v1/users/${randomUUID()}`, { role: 'applicant', displayName: 'Ada' }, 'users:write'],
      ['POST', `/v1/users/${userId}/deactivate`, undefined, 'users:write'],
      ['POST', `/v1/users/${userId}/reactivate`, undefined, 'users:write'],
      ['POST', `/v1/users/${userId}/tokens`, { ttlSeconds: 60 }, 'tokens:issue'],
      ['POST', `/v1/jobs/${randomUUID()}/applications`, {}, 'applications:write'],
      ['POST', `/v1/groups/${randomUUID()}/messages`, {}, 'messages:write'],
      ['GET', '/v1/groups', undefined, 'messages:read'],
    ];
    for (const [method, path, body, scope] of calls) {
      const {
        status,
        headers,
        body: problem,
      } = await app.ask(method, path, {
        ...{ body, headers: { ...narrow, 'x-act-as': userId } },
      });
      expect({ path, status, problem }).toMatchObject({
        ...{ path, status: 403, problem: { code: 'SCOPE_MISSING', detail: expect.stringContaining(scope) } },
      });
      expect(headers.get('www-authenticate')).toContain('insufficient_scope');
    }
    const user = bearer(await tokenFor(userId));
    const codes = [
      await asClient('GET', '/v1/groups'),
      await asClient('GET', '/v1/me', undefined, { 'x-act-as': userId }),
      await actingFor(userId, 'GET', '/v1/search/messages?q=x'),
      await app.ask('POST', `/v1/users/${userId}/tokens`, { body: { ttlSeconds: 60 }, headers: user }),
      await app.ask('GET', '/v1/groups', { headers: { ...user, 'x-act-as': userId } }),
      await actingFor('nobody', 'GET', '/v1/groups'),
    ].map(({ status, body }) => `${status} ${String(body['code'])}`);
    expect(codes).toStrictEqual([
      ...['403 USER_TOKEN_REQUIRED', '403 USER_TOKEN_REQUIRED', '403 USER_TOKEN_REQUIRED'],
      ...['403 CLIENT_TOKEN_REQUIRED', '403 CLIENT_TOKEN_REQUIRED', '400 BAD_REQUEST'],
    ]);
  });

  test('exchanges the tokens of its own login, with an account on first use', async () => {
    const sub = randomUUID();
    const first = await postForm(app.url, exchangeOf(await issuer.sign(sub)));
    expect(first).toMatchObject({ status: 200, body: { token_type: 'Bearer' } });
    const me = async (accessToken: unknown) =>
      (await app.ask('GET', '/v1/me', { headers: bearer(accessToken as string) })).body;
    const { id } = await me(first.body['access_token']);
    const again = await postForm(second.url, exchangeOf(await issuer.sign(sub, { claims: { name: 'Bob' } })));
    expect(await me(again.body['access_token'])).toMatchObject({ id, displayName: 'Ada' });
    const put = await asClient('PUT', `/v1/users/${sub}`, { role: 'applicant', displayName: 'Countess' });
    expect(put).toMatchObject({ status: 200, body: { userId: id } });
    await asClient('POST', `/v1/users/${String(id)}/deactivate`);
    expect(await postForm(app.url, exchangeOf(await issuer.sign(sub)))).toMatchObject({
      ...{ status: 400, body: { error: 'invalid_request', code: 'ACCOUNT_SUSPENDED' } },
    });
  });

  test('loses its tokens and those of its users on every node when it is disabled', async () => {
    const client = await makeClient(database.ownerUrl);
    const clientToken = await tokenOf(app.url, client);
    const own = { headers: bearer(clientToken) };
    const { body } = await app.ask('PUT', '/v1/users/ada', {
      ...{ ...own, body: { role: 'applicant', displayName: 'Ada' } },
    });
    const tokens = await app.ask('POST', `/v1/users/${String(body['userId'])}/tokens`, {
      ...{ ...own, body: { ttlSeconds: 86_400 } },
    });
    const userToken = tokens.body['accessToken'] as string;
    const socket = await openSocket(second, userToken);
    expect(await codeOf(second, clientToken)).toBe('USER_TOKEN_REQUIRED');
    expect(await codeOf(second, userToken)).toBe('let in');
    expect(await onClients(database.ownerUrl, (store) => store.disable(client.clientId))).toBe(true);
    for (const node of [app, second])
      await until(
        async () =>
          !socket.connected &&
          (await codeOf(node, clientToken)) === 'TOKEN_REVOKED' &&
          (await codeOf(node, userToken)) === 'TOKEN_REVOKED',
        'the tokens to end',
        ENDED_WITHIN_MS,
      );
    expect(await postForm(app.url, CREDENTIALS, client)).toMatchObject({
      ...{ status: 401, body: { error: 'invalid_client' } },
    });
  });
});
