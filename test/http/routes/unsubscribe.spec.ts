import { randomBytes, randomUUID } from 'node:crypto';
import { createSignedLinks } from '../../../src/auth/tokens/signed-links.ts';
import { standardPreferences } from '../../../src/commands/account/account.ts';
import { unsubscribePath, unsubscribeRoutes } from '../../../src/http/routes/account/unsubscribe.ts';
import { ada, event, groupId, registered } from '../../support/language/example-events.ts';
import { someRoutes } from '../../support/stages/some-routes.ts';

const secret = randomBytes(32);
const links = createSignedLinks(() => [secret]);
const soon = () => Date.now() + 60_000;
const chosen = { ...standardPreferences, muted: [groupId], digestMinutes: 60 };
const oneClick = {
  payload: 'List-Unsubscribe=One-Click',
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
};

describe('the unsubscribe link', () => {
  let server: Awaited<ReturnType<typeof someRoutes>>;
  const path = unsubscribePath(links.sign('unsubscribe', { userId: ada.userId }, soon()));
  const history = [
    registered(ada),
    event('NotificationPreferencesSet', { userId: ada.userId, preferences: chosen }),
  ];
  beforeEach(async () => {
    server = await someRoutes(history, (app, deps) => unsubscribeRoutes(app, { ...deps, links }));
  });
  afterEach(() => server.close());

  const decided = async () => (await server.log()).slice(history.length);

  test('opens a confirmation page without effect, since mail scanners follow links', async () => {
    const page = await server.ask('GET', path);
    expect(page).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/html; charset=utf-8', 'referrer-policy': 'no-referrer' },
    });
    expect(page.text).toContain('<form method="post">');
    expect(page.text).not.toContain(ada.userId);
    expect(await decided()).toStrictEqual([]);
  });

  test('opens a page that runs no script, loads nothing and submits to its own origin only', async () => {
    const policy = (await server.ask('GET', path)).headers['content-security-policy'];
    expect(policy).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
  });

  test('turns off e-mail for its user with one click, and nothing else', async () => {
    const done = await server.ask('POST', path, oneClick);
    expect(done).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(await decided()).toMatchObject([
      {
        ...event('NotificationPreferencesSet', {
          userId: ada.userId,
          preferences: { ...chosen, email: false },
        }),
        metadata: { actorId: ada.userId },
      },
    ]);
  });

  test.each([
    ['nothing', {}],
    ['an empty form', { ...oneClick, payload: '' }],
    [
      'the form in parts',
      { payload: '--x--', headers: { 'content-type': 'multipart/form-data; boundary=x' } },
    ],
  ])('also accepts %s as a body', async (_what, asked) => {
    expect(await server.ask('POST', path, asked)).toMatchObject({ status: 200 });
    expect(await decided()).toHaveLength(1);
  });

  test('works with parameters that mail programs append', async () => {
    const tagged = `${path}&utm_source=mail&fbclid=x&token_type=none`;
    expect(await server.ask('GET', tagged)).toMatchObject({ status: 200 });
    expect(await server.ask('POST', tagged, oneClick)).toMatchObject({ status: 200 });
    expect(await decided()).toHaveLength(1);
  });

  test('may be used again', async () => {
    await server.ask('POST', path, oneClick);
    expect(await server.ask('POST', path, oneClick)).toMatchObject({ status: 200 });
    expect(await decided()).toHaveLength(1);
  });

  test('refuses a body that is no form or too large', async () => {
    const text = { payload: 'x', headers: { 'content-type': 'text/plain' } };
    expect(await server.ask('POST', path, text)).toMatchObject({ status: 415 });
    expect(await server.ask('POST', path, { ...oneClick, payload: 'x'.repeat(5_000) })).toMatchObject({
      status: 413,
    });
    expect(await decided()).toStrictEqual([]);
  });

  const sign = (purpose: string, fields: Record<string, string>, expiresAt = soon()) =>
    links.sign(purpose, fields, expiresAt);
  test.each([
    [
      'was forged',
      createSignedLinks(() => [randomBytes(32)]).sign('unsubscribe', { userId: ada.userId }, soon()),
    ],
    ['was made for something else', sign('download', { userId: ada.userId })],
    ['has expired', sign('unsubscribe', { userId: ada.userId }, Date.now() - 1)],
    ['has no user', sign('unsubscribe', {})],
    ['has an invalid user', sign('unsubscribe', { userId: 'ada' })],
    ['has an unknown user', sign('unsubscribe', { userId: randomUUID() })],
    ['is empty', ''],
  ])('is refused when it %s', async (_why, token) => {
    for (const method of ['GET', 'POST'] as const)
      expect(await server.ask(method, unsubscribePath(token))).toMatchObject({
        status: 403,
        body: { code: 'LINK_INVALID' },
      });
    expect(await decided()).toStrictEqual([]);
  });

  test('is a bad request without a token', async () =>
    expect(await server.ask('POST', '/v1/unsubscribe')).toMatchObject({ status: 400 }));
});
