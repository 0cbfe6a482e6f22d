import { io } from 'socket.io-client';
import { until } from '../../tools/until.ts';
import { valueOf } from '../support/journeys/health.ts';
import { type Person, type TestApp, startApp } from '../support/stages/app.ts';

describe('a running server counts', () => {
  let app: TestApp;
  let ada: Person;
  beforeAll(async () => {
    app = await startApp();
    ada = await app.register('applicant');
  }, 60_000);
  afterAll(() => app.stop());

  const value = (name: string, labels?: Record<string, string>) => valueOf(app.url, name, labels);

  test('sockets that come and go, with the reason', async () => {
    const socket = io(app.url, { transports: ['websocket'], auth: { token: ada.accessToken } });
    await until(async () => (await value('chat_sockets')) === 1, 'it is counted');
    expect(await value('chat_socket_connects_total')).toBe(1);
    socket.close();
    await until(async () => (await value('chat_sockets')) === 0, 'it is gone');
    const reason = 'client namespace disconnect';
    expect(await value('chat_socket_disconnects_total', { reason })).toBe(1);
  });

  test('logins that fail, by their code', async () => {
    const credentials = { email: ada.email, password: 'not the password' };
    const { status } = await app.ask('POST', '/v1/auth/login', { body: credentials });
    expect(status).toBe(401);
    expect(await value('chat_login_failures_total', { code: 'BAD_CREDENTIALS' })).toBe(1);
    await app.logIn(ada);
    expect(await value('chat_login_failures_total', { code: 'BAD_CREDENTIALS' })).toBe(1);
  });

  test('the connections of every pool', async () => {
    const notifying = ['notifications', 'notifications queue'];
    for (const pool of ['commands', 'logins', 'background', 'queries', 'searches', 'audits', ...notifying])
      expect(await value('chat_pool_connections_max', { pool })).toBeGreaterThan(0);
    // Its workers ask for jobs all the time.
    const asks = async () =>
      (await value('chat_pool_connections', { pool: 'notifications queue', state: 'in use' }))! +
        (await value('chat_pool_connections', { pool: 'notifications queue', state: 'idle' }))! >
      0;
    await until(asks, 'a connection of the queue');
    expect(await value('chat_pool_waiting', { pool: 'commands' })).toBe(0);
  });

  test('the parts of its readiness, and that it leads all there is', async () => {
    await until(async () => (await value('chat_ready')) === 1, 'it is ready');
    for (const name of ['database', 'log', 'leaders', 'followers', 'upkeep', 'mail'])
      expect(await value('chat_dependency_up', { name })).toBe(1);
    for (const lease of ['projector', 'reactions', 'notifier', 'files', 'housekeeping', 'erasures', 'seal'])
      await until(async () => (await value('chat_leader', { lease })) === 1, `it leads ${lease}`);
  });
});
