import { createECDH, randomBytes, randomUUID } from 'node:crypto';
import { type Answer, type Person, type TestApp, startApp } from '../support/stages/app.ts';
import { type Board, type Cast, gatherCast, setUpBoard } from '../support/stages/board.ts';
import { makeClient, tokenOf } from '../support/stages/service-clients.ts';
import { SCOPES, type Scope } from '../../src/auth/clients/scopes.ts';
import { servedRoutes } from '../support/stages/served-routes.ts';

/** The state that a request needs besides its caller. */
interface Scene {
  cast: Cast;
  board: Board;
  /** The caller; undefined for an anonymous request. */
  as: Person | undefined;
}
type Statuses = readonly [
  anonymous: number,
  stranger: number,
  member: number,
  exMember: number,
  admin: number,
  owner: number,
  auditor: number,
];
interface Row {
  expect: Statuses;
  body?: (scene: Scene) => unknown;
}

const ROLES = ['anonymous', 'stranger', 'member', 'exMember', 'admin', 'owner', 'auditor'] as const;

const everybody = (status: number): Statuses => [status, status, status, status, status, status, status];
/** What is for clients, which users are not. */
const clients: Statuses = [401, 403, 403, 403, 403, 403, 403];
const loggedIn = (status: number): Statuses => [401, status, status, status, status, status, 403];
/** What an account needs to manage itself. */
const everyAccount = (status: number): Statuses => [401, status, status, status, status, status, status];
const auditors = (status: number): Statuses => [401, 403, 403, 403, 403, 403, status];
/** What is for operators, who are none of these. */
const operators: Statuses = [401, 403, 403, 403, 403, 403, 403];
const companies = (status: number): Statuses => [401, 403, 403, 403, status, status, 403];
/** What the owners of a company may do. */
const owners = (status: number): Statuses => [401, 403, 403, 403, 403, status, 403];
const company = owners(201);
const jobOwner: Statuses = [401, 403, 403, 403, 403, 200, 403];
/** The people of the company who have to do with the application, of whom this board has its founder alone. */
const staff = (status: number): Statuses => [401, 404, 404, 404, 404, status, 403];
const applicant: Statuses = [401, 201, 200, 200, 403, 403, 403];
const inside = (status = 200): Statuses => [401, 404, status, 404, status, status, 403];
const admins: Statuses = [401, 404, 403, 404, 200, 200, 403];

const uploader: Statuses = [401, 404, 202, 404, 404, 404, 403];
const byLink = everybody(403);
const act = () => ({ reason: 'A complaint' });
const posting = () => ({ title: 'Engineer', description: 'Builds engines' });
const credentials = ({ cast }: Scene) => ({ email: cast.owner.email, password: cast.owner.password });

const upload = ({ board }: Scene) => ({
  ...{ groupId: board.groupId, name: 'cv.txt', contentType: 'text/plain', size: 5 },
});
/** A browser's push subscription, new on each call. */
const subscription = () => ({
  endpoint: `https://push.example.org/${randomUUID()}`,
  keys: {
    p256dh: createECDH('prime256v1').generateKeys('base64url'),
    auth: randomBytes(16).toString('base64url'),
  },
});

/** Every route, with the status for each role. A route without a row fails the test. */
const matrix: Record<string, Row> = {
  'GET /health/live': { expect: everybody(200) },
  'GET /health/ready': { expect: everybody(200) },
  'GET /metrics': { expect: everybody(200) },
  'GET /': { expect: everybody(200) },
  'GET /openapi.json': { expect: everybody(200) },
  'GET /asyncapi.json': { expect: everybody(200) },
  'GET /.well-known/jwks.json': { expect: everybody(200) },
  'GET /.well-known/openid-configuration': { expect: everybody(200) },
  'GET /.well-known/seal-keys.json': { expect: everybody(200) },
  'GET /docs': { expect: everybody(301) },
  'GET /docs/': { expect: everybody(200) },
  'GET /docs/socket': { expect: everybody(200) },
  'GET /docs/js/scalar.js': { expect: everybody(200) },
  'GET /v1/limits': { expect: everybody(200) },

  'POST /v1/auth/register': {
    expect: everybody(201),
    body: () => ({
      role: 'applicant',
      email: `${randomUUID()}@example.org`,
      password: randomUUID(),
      displayName: 'New',
    }),
  },
  'POST /v1/auth/login': { expect: everybody(200), body: credentials },
  'POST /login': { expect: everybody(200), body: credentials },
  'POST /v1/auth/refresh': { expect: everybody(401), body: () => ({ refreshToken: 'not one' }) },
  'POST /v1/auth/logout': { expect: everyAccount(204) },
  'GET /v1/company': { expect: companies(200) },
  'PATCH /v1/company': { expect: owners(200), body: () => ({ name: 'Acme' }) },
  'GET /v1/company/members': { expect: companies(200) },
  'PATCH /v1/company/members/:userId': { expect: owners(404), body: () => ({ role: 'viewer' }) },
  'DELETE /v1/company/members/:userId': { expect: owners(404) },
  'POST /v1/company/invitations': {
    expect: owners(202),
    body: () => ({ email: `${randomUUID()}@example.org`, role: 'recruiter' }),
  },
  'GET /v1/company/invitations': { expect: owners(200) },
  'DELETE /v1/company/invitations/:invitationId': { expect: owners(404) },
  'GET /v1/invitations': { expect: everybody(404) },
  'POST /v1/invitations/accept': { expect: companies(404), body: () => ({ token: 'none' }) },
  'GET /v1/me': { expect: everyAccount(200) },
  'PATCH /v1/me': { expect: loggedIn(200), body: () => ({}) },
  'PUT /v1/me/password': {
    expect: everyAccount(403),
    body: () => ({ currentPassword: 'not the password', newPassword: randomUUID() }),
  },
  'PUT /v1/me/email': {
    expect: everyAccount(403),
    body: () => ({ email: `${randomUUID()}@example.org`, password: 'not the password' }),
  },
  'POST /v1/me/totp': { expect: everyAccount(403), body: () => ({ password: 'not the password' }) },
  'POST /v1/me/totp/confirm': { expect: everyAccount(409), body: () => ({ code: '123456' }) },
  'DELETE /v1/me/totp': {
    expect: everyAccount(403),
    body: () => ({ password: 'not the password', code: '123456' }),
  },
  'GET /v1/me/sessions': { expect: everyAccount(200) },
  'DELETE /v1/me/sessions/:sessionId': { expect: everyAccount(404) },
  'POST /v1/auth/email-verification': { expect: everyAccount(202) },
  'GET /v1/auth/email-verification/confirm': { expect: everybody(400) },
  'POST /v1/auth/email-verification/confirm': { expect: everybody(400), body: () => ({ token: 'none' }) },
  'POST /v1/auth/password-reset': {
    expect: everybody(202),
    body: () => ({ email: `${randomUUID()}@example.org` }),
  },
  'GET /v1/auth/password-reset/confirm': { expect: everybody(400) },
  'POST /v1/auth/password-reset/confirm': {
    expect: everybody(400),
    body: () => ({ token: 'none', password: randomUUID() }),
  },

  'POST /v1/jobs': { expect: company, body: posting },
  'POST /jobs': { expect: company, body: posting },
  'GET /v1/jobs': { expect: loggedIn(200) },
  'GET /v1/jobs/:jobId': { expect: loggedIn(200) },
  'GET /v1/jobs/:jobId/threads': { expect: companies(200) },
  'PATCH /v1/jobs/:jobId': { expect: jobOwner, body: () => ({ title: 'Driver' }) },
  'POST /v1/jobs/:jobId/close': { expect: jobOwner },

  'POST /v1/jobs/:jobId/applications': { expect: applicant, body: () => ({}) },
  'POST /apply': { expect: applicant, body: ({ board }) => ({ jobId: board.jobId }) },
  'GET /v1/applications': { expect: loggedIn(200) },
  'PATCH /v1/applications/:applicationId': {
    expect: [401, 404, 403, 404, 404, 200, 403],
    body: () => ({ status: 'interview' }),
  },
  'DELETE /v1/applications/:applicationId': { expect: [401, 404, 200, 404, 404, 403, 403] },
  'PUT /v1/applications/:applicationId/assignee': {
    expect: [401, 404, 403, 404, 404, 200, 403],
    body: ({ cast }) => ({ userId: cast.admin.userId }),
  },
  'GET /v1/applications/:applicationId/notes': { expect: staff(200) },
  'POST /v1/applications/:applicationId/notes': {
    expect: staff(201),
    body: () => ({ clientMsgId: randomUUID(), text: 'Knows engines' }),
  },
  'DELETE /v1/applications/:applicationId/notes/:noteId': { expect: staff(200) },

  'GET /v1/groups': { expect: loggedIn(200) },
  'GET /v1/groups/:groupId': { expect: inside() },
  'GET /v1/groups/:groupId/members': { expect: inside() },
  'POST /v1/groups/:groupId/members': {
    expect: admins,
    body: ({ cast }) => ({ userId: cast.member.userId }),
  },
  'DELETE /v1/groups/:groupId/members/:userId': { expect: inside() },
  'PUT /v1/groups/:groupId/read': { expect: inside(), body: () => ({ seq: 1 }) },

  'GET /v1/groups/:groupId/messages': { expect: inside() },
  'GET /v1/groups/:groupId/messages/:messageId': { expect: inside() },
  'POST /v1/groups/:groupId/messages': {
    expect: inside(201),
    body: () => ({ clientMsgId: randomUUID(), text: 'Hi' }),
  },
  'PATCH /v1/groups/:groupId/messages/:messageId': {
    expect: [401, 404, 200, 404, 403, 403, 403],
    body: () => ({ text: 'Changed' }),
  },
  'DELETE /v1/groups/:groupId/messages/:messageId': { expect: inside() },
  'PUT /v1/groups/:groupId/messages/:messageId/reactions/:emoji': { expect: inside() },
  'DELETE /v1/groups/:groupId/messages/:messageId/reactions/:emoji': { expect: inside() },
  'GET /v1/search/messages': { expect: loggedIn(200) },
  'GET /v1/users': { expect: loggedIn(200) },

  'POST /v1/files': { expect: inside(201), body: upload },
  'POST /files': { expect: inside(201), body: upload },
  'POST /v1/files/:fileId/complete': { expect: uploader },
  'GET /v1/files/:fileId': { expect: inside() },
  'GET /v1/files': { expect: loggedIn(200) },
  'PUT /v1/storage/quarantine/:fileId': { expect: byLink },
  'GET /v1/storage/:fileId': { expect: byLink },
  'POST /internal/scan-orders': { expect: byLink, body: () => ({}) },
  'POST /internal/scan-reports': { expect: byLink, body: () => ({}) },

  'GET /v1/audit/checkpoints': { expect: auditors(200) },
  'GET /v1/audit/proof': { expect: auditors(404) },
  'GET /v1/audit/consistency': { expect: auditors(404) },

  'GET /v1/me/notification-preferences': { expect: loggedIn(200) },
  'PUT /v1/me/notification-preferences': { expect: loggedIn(200), body: () => ({ push: false }) },
  'PATCH /v1/me/notification-preferences': { expect: loggedIn(200), body: () => ({ push: false }) },
  'PUT /v1/groups/:groupId/mute': { expect: inside() },
  'DELETE /v1/groups/:groupId/mute': { expect: inside() },
  'GET /v1/push-key': { expect: loggedIn(200) },
  'POST /v1/me/push-subscriptions': { expect: loggedIn(201), body: subscription },
  'DELETE /v1/me/push-subscriptions': { expect: loggedIn(404), body: subscription },
  'DELETE /v1/me': { expect: everyAccount(403), body: () => ({ password: 'not the password' }) },
  'POST /v1/privacy/erasures': { expect: auditors(404), body: () => ({ userId: randomUUID() }) },
  'GET /v1/privacy/erasures/:erasureId': { expect: everyAccount(404) },
  'DELETE /v1/privacy/erasures/:erasureId': { expect: everyAccount(404) },
  'POST /v1/privacy/holds': {
    expect: auditors(201),
    body: ({ board }) => ({ groupId: board.groupId, reason: 'Acme v. Ada' }),
  },
  'GET /v1/privacy/holds': { expect: auditors(200) },
  'DELETE /v1/privacy/holds/:holdId': { expect: auditors(404) },
  'GET /v1/privacy/export': { expect: everyAccount(200) },
  'POST /v1/privacy/exports': {
    expect: auditors(200),
    body: ({ cast }) => ({ userId: cast.member.userId }),
  },
  'GET /v1/audit/events': { expect: auditors(200) },
  'GET /v1/audit/streams/:streamId': { expect: auditors(200) },
  'GET /v1/audit/groups/:groupId': { expect: auditors(200) },
  'GET /v1/audit/trace/:eventId': { expect: auditors(404) },
  'GET /v1/audit/access-grants': { expect: auditors(200) },
  'POST /v1/audit/access-grants': {
    expect: auditors(201),
    body: ({ board }) => ({ reason: 'A complaint', scope: { groupId: board.groupId }, minutes: 5 }),
  },
  'DELETE /v1/audit/access-grants/:grantId': { expect: auditors(404) },
  'POST /v1/oauth/token': { expect: everybody(415), body: () => ({ grant_type: 'client_credentials' }) },
  'PUT /v1/users/:externalId': {
    expect: clients,
    body: () => ({ role: 'applicant', displayName: 'Ada' }),
  },
  'POST /v1/users/:userId/deactivate': { expect: clients },
  'POST /v1/users/:userId/reactivate': { expect: clients },
  'POST /v1/users/:userId/tokens': { expect: clients, body: () => ({ ttlSeconds: 60 }) },
  'GET /v1/admin/users': { expect: operators },
  'GET /v1/admin/users/:userId': { expect: operators },
  'POST /v1/admin/users/:userId/suspend': { expect: operators, body: act },
  'POST /v1/admin/users/:userId/restore': { expect: operators, body: act },
  'POST /v1/admin/users/:userId/end-sessions': { expect: operators, body: act },
  'POST /v1/admin/users/:userId/reset-second-factor': { expect: operators, body: act },
  'POST /v1/admin/users/:userId/verify-email': { expect: operators, body: act },
  'GET /v1/admin/jobs': { expect: operators },
  'POST /v1/admin/jobs/:jobId/close': { expect: operators, body: act },
  'GET /v1/admin/notifications': { expect: operators },
  'GET /v1/admin/notifications/parked': { expect: operators },
  'POST /v1/admin/notifications/replay': { expect: operators, body: () => ({ ...act(), all: true }) },
  'GET /v1/admin/read-models': { expect: operators },
  'POST /v1/admin/read-models/:name/rebuild': { expect: operators, body: act },
  'POST /v1/admin/read-models/:name/rollback': { expect: operators, body: act },
  'GET /v1/admin/system': { expect: operators },
  'GET /v1/unsubscribe': { expect: byLink },
  'POST /v1/unsubscribe': { expect: byLink },
};

/** Every route of operators, with the status that they get. */
const operatorRoutes: Record<string, number> = {
  'GET /v1/admin/users': 200,
  'GET /v1/admin/users/:userId': 200,
  'POST /v1/admin/users/:userId/end-sessions': 200,
  'POST /v1/admin/users/:userId/suspend': 200,
  'POST /v1/admin/users/:userId/restore': 200,
  'POST /v1/admin/users/:userId/reset-second-factor': 409,
  'POST /v1/admin/users/:userId/verify-email': 200,
  'GET /v1/admin/jobs': 200,
  'POST /v1/admin/jobs/:jobId/close': 200,
  'GET /v1/admin/notifications': 200,
  'GET /v1/admin/notifications/parked': 200,
  'POST /v1/admin/notifications/replay': 200,
  'GET /v1/admin/read-models': 200,
  'POST /v1/admin/read-models/:name/rollback': 409,
  'POST /v1/admin/read-models/:name/rebuild': 202,
  'GET /v1/admin/system': 200,
};

/** Every route that a client may call for a user, with the scope that it needs. */
const actingRoutes: Record<string, Scope> = {
  'POST /v1/jobs': 'jobs:write',
  'POST /jobs': 'jobs:write',
  'PATCH /v1/jobs/:jobId': 'jobs:write',
  'POST /v1/jobs/:jobId/close': 'jobs:write',
  'POST /v1/jobs/:jobId/applications': 'applications:write',
  'POST /apply': 'applications:write',
  'PATCH /v1/applications/:applicationId': 'applications:write',
  'DELETE /v1/applications/:applicationId': 'applications:write',
  'PUT /v1/applications/:applicationId/assignee': 'applications:write',
  'POST /v1/applications/:applicationId/notes': 'applications:write',
  'DELETE /v1/applications/:applicationId/notes/:noteId': 'applications:write',
  'GET /v1/groups': 'messages:read',
  'GET /v1/groups/:groupId': 'messages:read',
  'POST /v1/groups/:groupId/members': 'messages:write',
  'DELETE /v1/groups/:groupId/members/:userId': 'messages:write',
  'PUT /v1/groups/:groupId/read': 'messages:write',
  'GET /v1/groups/:groupId/messages': 'messages:read',
  'GET /v1/groups/:groupId/messages/:messageId': 'messages:read',
  'GET /v1/users': 'messages:read',
  'POST /v1/groups/:groupId/messages': 'messages:write',
  'PATCH /v1/groups/:groupId/messages/:messageId': 'messages:write',
  'DELETE /v1/groups/:groupId/messages/:messageId': 'messages:write',
  'PUT /v1/groups/:groupId/messages/:messageId/reactions/:emoji': 'messages:write',
  'DELETE /v1/groups/:groupId/messages/:messageId/reactions/:emoji': 'messages:write',
  'POST /v1/files': 'messages:write',
  'POST /files': 'messages:write',
  'POST /v1/files/:fileId/complete': 'messages:write',
  'GET /v1/files/:fileId': 'messages:read',
  'GET /v1/files': 'messages:read',
};
const ownRoutes: Record<string, Scope> = {
  'PUT /v1/users/:externalId': 'users:write',
  'POST /v1/users/:userId/deactivate': 'users:write',
  'POST /v1/users/:userId/reactivate': 'users:write',
  'POST /v1/users/:userId/tokens': 'tokens:issue',
};

/** The values of a path's parameters; a removed member is the member itself. */
const parameters = ({ board, cast }: Scene): Record<string, string> => ({
  ...board,
  userId: cast.member.userId,
  externalId: randomUUID(),
  sessionId: randomUUID(),
  grantId: randomUUID(),
  erasureId: randomUUID(),
  holdId: randomUUID(),
  name: 'jobs',
  eventId: randomUUID(),
  invitationId: randomUUID(),
  streamId: `chatGroup-${board.groupId}`,
  emoji: encodeURIComponent('👍'),
});
const unknown = (): Record<string, string> => ({
  externalId: randomUUID(),
  eventId: randomUUID(),
  invitationId: randomUUID(),
  streamId: `chatGroup-${randomUUID()}`,
  fileId: randomUUID(),
  jobId: randomUUID(),
  groupId: randomUUID(),
  applicationId: randomUUID(),
  messageId: randomUUID(),
  noteId: randomUUID(),
  userId: randomUUID(),
  sessionId: randomUUID(),
  grantId: randomUUID(),
  erasureId: randomUUID(),
  holdId: randomUUID(),
  name: 'none',
  emoji: encodeURIComponent('👍'),
});

const fill = (method: string, path: string, values: Record<string, string>) =>
  path.replaceAll(/:(\w+)/g, (_, name: string) => values[name]!) +
  (path === '/v1/search/messages' ? '?q=x' : '') +
  (path === '/v1/users' ? `?ids=${values['userId']}` : '') +
  (method === 'GET' && path === '/v1/files' ? `?ids=${values['fileId']}` : '') +
  (path === '/v1/audit/proof' ? '?position=1&size=999999999' : '') +
  (path === '/v1/audit/consistency' ? '?from=999999999&to=999999999' : '') +
  (/^\/v1\/(?:storage\/|unsubscribe$|invitations$|auth\/.*\/confirm$)/.test(path) ? '?token=none' : '');

/** The text of a refusal without its path, the only part that may differ. */
const withoutInstance = ({ text, body }: Answer) =>
  text.replace(JSON.stringify(body['instance']).slice(1, -1), 'instance');

describe('authorization', () => {
  let app: TestApp;
  let cast: Cast;
  let auditor: Person;
  let board: Board;
  let served: string[];

  beforeAll(async () => {
    app = await startApp({ SCAN_WEBHOOK_SECRET: randomUUID() });
    cast = await gatherCast(app);
    auditor = await app.hireAuditor();
    served = await servedRoutes();
    board = await setUpBoard(app, cast);
  });
  afterAll(() => app.stop());

  test('is specified for every route', () => {
    expect(Object.keys(matrix).toSorted()).toStrictEqual(served.toSorted());
  });

  test.each(Object.entries(matrix))('%s', async (route, row) => {
    const [method, path] = route.split(' ') as [string, string];
    const isQuery = method === 'GET';
    const statuses: Record<string, number> = {};
    for (const role of ROLES) {
      const person = role === 'anonymous' ? undefined : role === 'auditor' ? auditor : cast[role];
      const as = person && path.endsWith('/logout') ? await app.logIn(person) : person;
      const scene = { cast, board, as };
      const ask = (values: Record<string, string>, headers = {}) => {
        const body = row.body?.(scene);
        return app.ask(method, fill(method, path, values), { as, body, headers });
      };
      const answer = await ask(
        parameters(scene),
        isQuery && as ? { 'x-min-position': board.position } : undefined,
      );
      statuses[role] = answer.status;
      // A successful command changes the board, so the next role gets a new one.
      if (!isQuery && answer.status < 300) board = await setUpBoard(app, cast);
      if (answer.status === 404) expect(withoutInstance(answer)).toBe(withoutInstance(await ask(unknown())));
    }
    expect(statuses).toStrictEqual(Object.fromEntries(ROLES.map((role, n) => [role, row.expect[n]])));
  });

  test('lets operators do what is for them, and nothing for auditors or clients', async () => {
    const operator = await app.hireOperator();
    const victim = await app.register('applicant', 'Mallory');
    const { jobId } = await setUpBoard(app, cast);
    const ask = async (route: string) => {
      const [method, path] = route.split(' ') as [string, string];
      const scene = { cast, board, as: operator };
      const values = { ...parameters(scene), userId: victim.userId, jobId };
      const body = matrix[route]!.body?.(scene);
      return (await app.ask(method, fill(method, path, values), { as: operator, body })).status;
    };
    const ofOperators = Object.keys(matrix).filter((route) => matrix[route]!.expect === operators);
    expect(Object.keys(operatorRoutes).toSorted()).toEqual(ofOperators.toSorted());
    for (const [route, status] of Object.entries(operatorRoutes))
      expect([route, await ask(route)]).toEqual([route, status]);
    const ofOthers = Object.keys(matrix).filter(
      (route) =>
        matrix[route]!.expect === clients ||
        String(matrix[route]!.expect.slice(0, 6)) === '401,403,403,403,403,403',
    );
    for (const route of ofOthers.filter((each) => !ofOperators.includes(each)))
      expect([route, await ask(route)]).toEqual([route, 403]);
  });

  test('lets a client do for its users what its scopes name, and nothing else', async () => {
    const client = await makeClient(app.settings.DATABASE_URL);
    const tokens = new Map<Scope, string>();
    for (const scope of SCOPES) tokens.set(scope, await tokenOf(app.url, client, { scope }));
    const all = await tokenOf(app.url, client);
    const asked = async (route: string, token: string, actAs?: string) => {
      const [method, path] = route.split(' ') as [string, string];
      const headers = { authorization: `Bearer ${token}`, ...(actAs !== undefined && { 'x-act-as': actAs }) };
      const body = matrix[route]!.body?.({ cast, board, as: undefined });
      const { status, body: answer } = await app.ask(method, fill(method, path, unknown()), {
        body,
        headers,
      });
      return status < 400 ? status : (answer['code'] as string);
    };
    const provisioned = await app.ask('PUT', '/v1/users/ada', {
      ...{ headers: { authorization: `Bearer ${all}` }, body: { role: 'applicant', displayName: 'Ada' } },
    });
    const userId = provisioned.body['userId'] as string;

    const closed = served.filter(
      (route) =>
        matrix[route]!.expect[0] === 401 &&
        !route.endsWith('/refresh') &&
        !(route in { ...actingRoutes, ...ownRoutes }),
    );
    expect(closed.length).toBeGreaterThan(30);
    for (const route of closed)
      expect([route, await asked(route, all, userId)]).toStrictEqual([route, 'USER_TOKEN_REQUIRED']);
    for (const [route, scope] of Object.entries(actingRoutes)) {
      expect([route, await asked(route, all)]).toStrictEqual([route, 'USER_TOKEN_REQUIRED']);
      for (const [given, token] of tokens)
        expect([route, given, (await asked(route, token, userId)) === 'SCOPE_MISSING']).toStrictEqual([
          ...[route, given, given !== scope],
        ]);
      expect(await asked(route, all, auditor.userId)).toBe('ROLE_NOT_ALLOWED');
      expect(await asked(route, all, cast.member.userId)).toBe('USER_NOT_FOUND');
    }
    for (const [route, scope] of Object.entries(ownRoutes))
      for (const [given, token] of tokens)
        expect([route, given, (await asked(route, token)) === 'SCOPE_MISSING']).toStrictEqual([
          ...[route, given, given !== scope],
        ]);
  });

  test('reveals nothing in a search in a group of others', async () => {
    const search = (groupId: string, as: Person) =>
      app.ask('GET', `/v1/search/messages?q=Hello&groupId=${groupId}`, {
        as,
        headers: { 'x-min-position': board.position },
      });
    expect((await search(board.groupId, cast.member)).body['data']).toHaveLength(1);
    for (const as of [cast.stranger, cast.exMember]) {
      const answer = await search(board.groupId, as);
      expect(answer.status).toBe(404);
      expect(withoutInstance(answer)).toBe(withoutInstance(await search(randomUUID(), as)));
    }
  });
});
