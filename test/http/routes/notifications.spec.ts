import { createECDH, randomBytes } from 'node:crypto';
import { standardPreferences } from '../../../src/commands/account/account.ts';
import type { Actor } from '../../../src/commands/command.ts';
import { muteRoutes } from '../../../src/http/routes/mute.ts';
import { notificationRoutes } from '../../../src/http/routes/notifications.ts';
import type { PushSubscription } from '../../../src/notifications/deliver/pusher.ts';
import {
  acme,
  ada,
  eve,
  group,
  groupId,
  otherGroupId,
  registered,
} from '../../support/language/example-events.ts';
import { someRoutes } from '../../support/stages/some-routes.ts';

const PREFERENCES = '/v1/me/notification-preferences';
const SUBSCRIPTIONS = '/v1/me/push-subscriptions';
const { quietHours: _none, ...standard } = standardPreferences;
const quietHours = { start: '22:00', end: '07:00', timeZone: 'Europe/Berlin' };

/** A subscription as a browser's PushSubscription.toJSON() returns it. */
const browser = (endpoint = `https://push.example.org/${randomBytes(8).toString('hex')}`) => ({
  endpoint,
  expirationTime: null,
  keys: {
    p256dh: createECDH('prime256v1').generateKeys('base64url'),
    auth: randomBytes(16).toString('base64url'),
  },
});

describe('notification settings', () => {
  let server: Awaited<ReturnType<typeof someRoutes>>;
  /** The stored subscriptions, by user id. */
  let kept: Map<string, PushSubscription[]>;
  const PUBLIC_KEY = 'a public key';

  const open = (pushPublicKey: string | undefined) =>
    someRoutes([registered(ada), registered(acme), registered(eve), ...group], (app, deps) => {
      muteRoutes(app, deps);
      notificationRoutes(app, {
        ...deps,
        pushPublicKey,
        pushPrivateHosts: ['127.0.0.1'],
        pushSubscriptions: {
          async add(userId, subscription) {
            const others = (kept.get(userId) ?? []).filter((each) => each.endpoint !== subscription.endpoint);
            const isNew = others.length === (kept.get(userId) ?? []).length;
            kept.set(userId, [...others, subscription]);
            return isNew;
          },
          async remove(userId, endpoint) {
            const before = kept.get(userId) ?? [];
            const after = before.filter((each) => each.endpoint !== endpoint);
            kept.set(userId, after);
            return after.length < before.length;
          },
        },
      });
    });
  beforeEach(async () => {
    kept = new Map();
    server = await open(PUBLIC_KEY);
  });
  afterEach(() => server.close());

  const get = async (as: Actor = ada) => (await server.ask('GET', PREFERENCES, { as })).body;
  const put = (body: unknown, as: Actor = ada) => server.ask('PUT', PREFERENCES, { as, body });
  const patch = (body: unknown, as: Actor = ada) => server.ask('PATCH', PREFERENCES, { as, body });
  const mute = (method: 'PUT' | 'DELETE', id: string = groupId, as: Actor = ada) =>
    server.ask(method, `/v1/groups/${id}/mute`, { as });

  test('have default preferences until the user sets others', async () => {
    expect(await server.ask('GET', PREFERENCES, { as: ada })).toMatchObject({ status: 200 });
    expect(await get()).toStrictEqual(standard);
  });

  test('return what the caller has set, at once', async () => {
    const chosen = { email: false, push: true, muted: [groupId], quietHours, digestMinutes: 0 };
    const answer = await put(chosen);
    expect(answer.status).toBe(200);
    expect(answer.body).toStrictEqual({ ...chosen, position: expect.any(String) });
    expect(await get()).toStrictEqual(chosen);
    expect(await get(acme)).toStrictEqual(standard);
  });

  test('default omitted preferences; null means no quiet hours', async () => {
    await put({ email: false, muted: [groupId, otherGroupId], quietHours });
    await put({ push: false, quietHours });
    expect(await get()).toStrictEqual({ ...standard, push: false, quietHours });
    await put({ quietHours: null });
    expect(await get()).toStrictEqual(standard);
  });

  test('change alone what a PATCH names; null means no quiet hours', async () => {
    const chosen = { email: false, push: true, muted: [groupId], quietHours, digestMinutes: 0 };
    await put({ ...chosen, team: 'all' });
    const answer = await patch({ push: false });
    expect(answer.status).toBe(200);
    const changed = { ...chosen, push: false, team: 'all' };
    expect(answer.body).toStrictEqual({ ...changed, position: expect.any(String) });
    expect((await patch({})).body).toMatchObject(changed);
    await patch({ quietHours: null, team: null });
    const { quietHours: _, ...left } = chosen;
    expect(await get()).toStrictEqual({ ...left, push: false });
  });

  test.each([
    [{ mail: true }, '/mail'],
    [{ email: null }, '/email'],
    [{ muted: null }, '/muted'],
    [{ digestMinutes: 1.5 }, '/digestMinutes'],
    [{ position: 'x' }, '/position'],
  ])('refuse %j as a PATCH', async (body, pointer) => {
    expect(await patch(body)).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
    expect(await get()).toStrictEqual(standard);
  });

  test('lose none of many changes at the same time', async () => {
    const changes = [
      mute('PUT'),
      patch({ email: false }),
      patch({ push: false }),
      patch({ quietHours }),
      patch({ digestMinutes: 3 }),
    ];
    for (const { status } of await Promise.all(changes)) expect(status).toBe(200);
    expect(await get()).toStrictEqual({
      ...{ email: false, push: false, muted: [groupId], quietHours, digestMinutes: 3 },
    });
  });

  test('mute and unmute one group, as often as asked', async () => {
    await put({ muted: [otherGroupId], digestMinutes: 3 });
    const [first, second] = [await mute('PUT'), await mute('PUT')];
    expect(first).toMatchObject({ status: 200, body: { position: expect.any(String) } });
    expect(second.status).toBe(200);
    expect(await get()).toStrictEqual({ ...standard, muted: [otherGroupId, groupId], digestMinutes: 3 });
    expect([(await mute('DELETE')).status, (await mute('DELETE')).status]).toEqual([200, 200]);
    expect(await get()).toStrictEqual({ ...standard, muted: [otherGroupId], digestMinutes: 3 });
    for (const [method, id, as] of [
      ['PUT', otherGroupId, ada],
      ['DELETE', otherGroupId, ada],
      ['PUT', groupId, eve],
    ] as const)
      expect(await mute(method, id, as)).toMatchObject({ status: 404, body: { code: 'GROUP_NOT_FOUND' } });
  });

  test('accept a muted group once, even before the user is a member', async () => {
    await put({ muted: [groupId, groupId.toUpperCase()] });
    expect(await get()).toStrictEqual({ ...standard, muted: [groupId] });
  });

  test.each([
    [{ mail: true }, '/mail'],
    [{ email: 'yes' }, '/email'],
    [{ email: null }, '/email'],
    [{ muted: ['a group'] }, '/muted/0'],
    [{ muted: Array.from({ length: 1_001 }, () => groupId) }, '/muted'],
    [{ digestMinutes: -1 }, '/digestMinutes'],
    [{ digestMinutes: 1_441 }, '/digestMinutes'],
    [{ digestMinutes: 1.5 }, '/digestMinutes'],
    [{ quietHours: { ...quietHours, start: '24:00' } }, '/quietHours/start'],
    [{ quietHours: { ...quietHours, start: '07:00' } }, '/quietHours/end'],
    [{ quietHours: { ...quietHours, timeZone: 'Mars/Base' } }, '/quietHours/timeZone'],
    [{ quietHours: { start: '22:00', end: '07:00' } }, '/quietHours/timeZone'],
    [[], ''],
  ])('refuse %j', async (body, pointer) => {
    expect(await put(body)).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
    expect(await get()).toStrictEqual(standard);
  });

  test('answer 404 when the user no longer exists', async () => {
    const nobody: Actor = { ...ada, userId: otherGroupId as never };
    expect(await server.ask('GET', PREFERENCES, { as: nobody })).toMatchObject({
      status: 404,
      body: { code: 'USER_NOT_FOUND' },
    });
    expect(await put({ email: false }, nobody)).toMatchObject({ status: 404 });
  });

  test('accept their own answer as a request', async () => {
    const set = await put({ muted: [groupId], digestMinutes: 3 });
    const again = await put(set.body);
    expect(again).toMatchObject({ status: 200, body: { muted: [groupId], digestMinutes: 3 } });
    expect(await put(await get())).toMatchObject({ status: 200, body: { muted: [groupId] } });
    expect(await put({ ...(await get()), quietHours: null })).toMatchObject({ status: 200 });
    await put({ quietHours, team: 'all' });
    const all = await get();
    await put(all);
    expect(await get()).toStrictEqual(all);
    await put({});
  });

  test('require a token', async () => {
    for (const [method, path] of [
      ['GET', PREFERENCES],
      ['PUT', PREFERENCES],
      ['POST', SUBSCRIPTIONS],
      ['DELETE', SUBSCRIPTIONS],
      ['GET', '/v1/push-key'],
    ] as const)
      expect(await server.ask(method, path)).toMatchObject({ status: 401 });
  });

  test('return the key to subscribe with, if there is one', async () => {
    expect((await server.ask('GET', '/v1/push-key', { as: ada })).body).toStrictEqual({
      publicKey: PUBLIC_KEY,
    });
    const without = await open(undefined);
    expect((await without.ask('GET', '/v1/push-key', { as: ada })).body).toStrictEqual({ publicKey: null });
    await without.close();
  });

  test("accept a browser's subscription with 201, and with 200 when it exists", async () => {
    const subscription = browser();
    const add = () => server.ask('POST', SUBSCRIPTIONS, { as: ada, body: subscription });
    expect(await add()).toMatchObject({ status: 201, body: {} });
    expect(await add()).toMatchObject({ status: 200, body: {} });
    const { endpoint, keys } = subscription;
    expect(kept.get(ada.userId)).toStrictEqual([{ endpoint, keys }]);
  });

  test('accept keys in standard base64 and store them as base64url', async () => {
    const { endpoint, keys } = browser();
    const base64 = (key: string) => Buffer.from(key, 'base64url').toString('base64');
    const body = { endpoint, keys: { p256dh: base64(keys.p256dh), auth: base64(keys.auth) } };
    expect(await server.ask('POST', SUBSCRIPTIONS, { as: ada, body })).toMatchObject({ status: 201 });
    expect(kept.get(ada.userId)?.at(-1)).toStrictEqual({ endpoint, keys });
  });

  test('accept an endpoint at a private address that the operator allows', async () => {
    const body = browser('https://127.0.0.1:8443/push');
    expect(await server.ask('POST', SUBSCRIPTIONS, { as: ada, body })).toMatchObject({ status: 201 });
  });

  const good = browser();
  const { p256dh, auth } = good.keys;
  const point = (first: number) => {
    const bytes = Buffer.from(p256dh, 'base64url');
    bytes[0] = first;
    return bytes.toString('base64url');
  };
  test.each([
    ['an endpoint in our own network', { ...good, endpoint: 'https://10.0.0.1/x' }, '/endpoint'],
    ['an endpoint on this host', { ...good, endpoint: 'https://localhost:8443/x' }, '/endpoint'],
    ['an endpoint without TLS', { ...good, endpoint: 'http://push.example.org/x' }, '/endpoint'],
    ['no endpoint', { ...good, endpoint: undefined }, '/endpoint'],
    ['no keys', { ...good, keys: undefined }, '/keys'],
    ['a key that is too short', { ...good, keys: { auth, p256dh: p256dh.slice(4) } }, '/keys/p256dh'],
    ['a key in another format', { ...good, keys: { auth, p256dh: point(6) } }, '/keys/p256dh'],
    [
      'a key that is not a point of the curve',
      { ...good, keys: { auth, p256dh: Buffer.alloc(65, 4).toString('base64url') } },
      '/keys/p256dh',
    ],
    ['a secret that is too long', { ...good, keys: { p256dh, auth: `${auth}AA` } }, '/keys/auth'],
    ['a field that browsers do not send', { ...good, userId: ada.userId }, '/userId'],
  ])('refuse %s', async (_what, body, pointer) => {
    const answer = await server.ask('POST', SUBSCRIPTIONS, { as: ada, body });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
    expect(kept.size).toBe(0);
  });

  test('delete a subscription of the caller by its endpoint, and of no other user', async () => {
    const subscription = browser('https://push.example.org/ä');
    await server.ask('POST', SUBSCRIPTIONS, { as: ada, body: subscription });
    const forget = (as: Actor, body: object) => server.ask('DELETE', SUBSCRIPTIONS, { as, body });
    expect(await forget(acme, subscription)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(await forget(ada, { endpoint: 'no URL' })).toMatchObject({ status: 404 });
    expect(await forget(ada, { endpoint: subscription.endpoint })).toMatchObject({ status: 204, text: '' });
    expect(await forget(ada, subscription)).toMatchObject({ status: 404 });
    expect(await forget(ada, {})).toMatchObject({ status: 400 });
  });
});
