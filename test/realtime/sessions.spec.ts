import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import type { UserId } from '../../src/events/ids.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import { type World, createWorld, makeKey, newUser } from '../support/stages/sockets.ts';
import { until } from '../../tools/until.ts';

describe('socket sessions', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld({ settings: { allowedOrigins: ['https://jobs.example'] } });
  });
  afterEach(() => world.stop());

  const refusal = (auth: object, options?: object) =>
    new Promise<{ data?: unknown }>((resolve) =>
      world.connect(auth, options).any.once('connect_error', resolve),
    );

  test.each([
    ['TOKEN_MISSING', {}],
    ['TOKEN_MISSING', { token: null }],
    ['TOKEN_INVALID', { token: 7 }],
    ['TOKEN_INVALID', { token: { $gt: '' } }],
    ['TOKEN_INVALID', { token: 'forged' }],
  ])('refuse a handshake with a problem: %s %j', async (code, auth) => {
    expect((await refusal(auth)).data).toMatchObject({ code, status: 401 });
  });

  test('refuse auditors, who take no part', async () => {
    const actor = { userId: newUser() as UserId, role: 'auditor' } as const;
    const answer = await refusal({ token: world.token(actor.userId, { actor }) });
    expect(answer.data).toMatchObject({ code: 'ROLE_NOT_ALLOWED', status: 403 });
  });

  test('ignore a token in the URL', async () => {
    const token = world.token(newUser());
    expect((await refusal({}, { query: { token } })).data).toMatchObject({ code: 'TOKEN_MISSING' });
  });

  test('refuse an expired token and the token of a revoked session', async () => {
    const expired = world.token(newUser(), { expiresAt: Date.now() - 1 });
    expect((await refusal({ token: expired })).data).toMatchObject({ code: 'TOKEN_EXPIRED' });
    const ended = world.token(newUser(), { sessionId: 'ended' });
    world.revoke('ended');
    expect((await refusal({ token: ended })).data).toMatchObject({ code: 'TOKEN_REVOKED' });
  });

  test('allow a user at most 20 sockets, even when all arrive at once', async () => {
    const alice = newUser();
    const clients = Array.from({ length: 25 }, () => world.connect({ token: world.token(alice) }));
    const refused: { code: string }[] = [];
    for (const { any } of clients) any.once('connect_error', (error) => refused.push(Object(error).data));
    const connected = () => clients.filter(({ socket }) => socket.connected);
    await until(() => connected().length + refused.length === 25, 'every answer');
    expect(refused.map(({ code }) => code)).toEqual(Array.from({ length: 5 }, () => 'TOO_MANY_SOCKETS'));
    connected()[0]!.socket.disconnect();
    await until(() => world.metered.sockets === 19, 'the place to be free');
    await world.client(alice);
  });

  test('allow a user exactly 20 sockets when their handshakes arrive in one turn', async () => {
    const alice = newUser();
    const sockets = await Promise.all(Array.from({ length: 20 }, () => openRawSocket(world.url)));
    for (const socket of sockets) socket.connect(world.token(alice));
    for (const socket of sockets) expect(await socket.answer()).toMatch(/^40/);
    expect((await refusal({ token: world.token(alice) })).data).toMatchObject({
      code: 'TOO_MANY_SOCKETS',
      retryAfterMs: 5_000,
    });
    for (const { ws } of sockets) ws.terminate();
  });

  const upgrade = (origin: string | undefined) =>
    new Promise<string>((resolve) => {
      const url = `${world.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
      const ws = new WebSocket(url, origin === undefined ? {} : { origin });
      ws.on('open', () => resolve('open'));
      ws.on('unexpected-response', (_request, { statusCode }) => resolve(String(statusCode)));
      ws.on('error', ({ message }) => resolve(message));
      ws.on('open', () => ws.close());
    });

  test('refuse a page of another origin', async () => {
    const own = world.url;
    expect(await upgrade(undefined)).toBe('open');
    expect(await upgrade(own)).toBe('open');
    expect(await upgrade('https://jobs.example')).toBe('open');
    for (const foreign of [
      'https://evil.example',
      'null',
      'https://jobs.example.evil.example',
      `${own}.evil`,
    ])
      expect(await upgrade(foreign)).toBe('403');
  });

  test('accept the WebSocket transport only', async () => {
    const poll = (origin: string) =>
      fetch(`${world.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });
    const response = await poll('https://jobs.example');
    expect(response.status).toBe(400);
    expect(response.headers.get('access-control-allow-origin')).toBe('https://jobs.example');
    expect(await response.json()).toMatchObject({
      code: 'BAD_REQUEST',
      detail: expect.stringContaining('WebSocket'),
    });
    expect((await poll('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });

  test('end when the token expires', async () => {
    const client = await world.client(newUser(), {
      token: world.token(newUser(), { expiresAt: Date.now() + 700 }),
    });
    const left = new Promise((resolve) => client.socket.once('disconnect', resolve));
    expect(await client.hears('sessionEnded')).toEqual({ code: 'TOKEN_EXPIRED' });
    expect(await left).toBe('transport close');
  });

  test('end when a connection never authenticates', async () => {
    const ws = new WebSocket(`${world.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    await new Promise((resolve) => ws.on('close', resolve));
  });

  test('report an expired token in the ack before the socket closes', async () => {
    const alice = newUser();
    const groupId = await world.group(alice);
    const session = { expiresAt: Date.now() + 600_000 };
    const held = world.token(alice, session);
    const client = await world.client(alice, { token: held });
    const live = await world.deps.authenticate(held);
    live.expiresAt = Date.now() - 1;
    const answer = await client.ask('sendMessage', { groupId, clientMsgId: randomUUID(), text: 'Late' });
    expect(answer).toMatchObject({ ok: false, error: { code: 'TOKEN_EXPIRED', status: 401 } });
    await until(() => !client.socket.connected, 'the end');
    expect(await world.store.readStream(`conversation-${groupId}`)).toEqual([]);
  });

  test('warn of the end of a token of 20 seconds once, at half its lifetime', async () => {
    await world.stop();
    world = await createWorld({ settings: { accessTokenSeconds: 20 } });
    const alice = newUser();
    const fresh = await world.client(alice, {
      token: world.token(alice, { expiresAt: Date.now() + 20_000 }),
    });
    const old = await world.client(alice, { token: world.token(alice, { expiresAt: Date.now() + 9_000 }) });
    expect((await old.hears('sessionExpiring')).expiresIn).toBeLessThanOrEqual(9);
    expect(fresh.all('sessionExpiring')).toEqual([]);
  });

  test('close the sockets of a revoked session at once, and no others', async () => {
    const alice = newUser();
    const ending = await world.client(alice, { token: world.token(alice, { sessionId: 'ending' }) });
    const staying = await world.client(alice);
    const left = new Promise((resolve) => ending.socket.once('disconnect', resolve));
    world.revoke('ending');
    expect(await ending.hears('sessionEnded')).toEqual({ code: 'TOKEN_REVOKED' });
    expect(await left).toBe('io server disconnect');
    expect(staying.socket.connected).toBe(true);
  });

  test('end when the key of their token is withdrawn, and no others', async () => {
    const alice = newUser();
    const ending = await world.client(alice);
    world.keys.push(await makeKey());
    const staying = await world.client(alice);
    const renewed = await world.client(alice, { token: world.token(alice, { kid: world.keys[0]!.kid }) });
    await renewed.asks('refreshAuth', { token: world.token(alice) });
    const left = new Promise((resolve) => ending.socket.once('disconnect', resolve));
    world.keys.shift();
    expect(await ending.hears('sessionEnded')).toEqual({ code: 'TOKEN_INVALID' });
    expect(await left).toBe('transport close');
    for (const { socket } of [staying, renewed]) expect(socket.connected).toBe(true);
  });

  test('refuse the events of a token whose key is withdrawn, before the socket closes', async () => {
    const alice = newUser();
    const groupId = await world.group(alice);
    const client = await world.client(alice);
    world.keys.splice(0, 1, await makeKey());
    const answer = await client.ask('sendMessage', { groupId, clientMsgId: randomUUID(), text: 'Forged' });
    expect(answer).toMatchObject({ ok: false, error: { code: 'TOKEN_INVALID', status: 401 } });
    expect(await client.hears('sessionEnded')).toEqual({ code: 'TOKEN_INVALID' });
    await until(() => !client.socket.connected, 'the end');
    expect(await world.store.readStream(`conversation-${groupId}`)).toEqual([]);
  });

  test('warn a minute before the token expires, and continue with a new token of the same user', async () => {
    const alice = newUser();
    const client = await world.client(alice, {
      token: world.token(alice, { expiresAt: Date.now() + 59_000 }),
    });
    const { expiresIn } = await client.hears('sessionExpiring');
    expect(expiresIn).toBeGreaterThan(55);
    expect(expiresIn).toBeLessThanOrEqual(59);
    const foreign = await client.ask('refreshAuth', { token: world.token(newUser()) });
    expect(foreign).toMatchObject({ ok: false, error: { code: 'FORBIDDEN' } });
    expect(await client.ask('refreshAuth', { token: 'forged' })).toMatchObject({
      error: { code: 'TOKEN_INVALID' },
    });
    const answer = await client.asks('refreshAuth', { token: world.token(alice) });
    expect(answer.expiresIn).toBeGreaterThan(590);
    expect(client.all('sessionExpiring')).toHaveLength(1);
    expect(client.socket.connected).toBe(true);
  });

  test('announce when to reconnect as the node drains, refuse new connections, and then close', async () => {
    const alice = newUser();
    const client = await world.client(alice);
    world.gateway.drain();
    const { reconnectInMs } = await client.hears('draining');
    expect(reconnectInMs).toBeGreaterThanOrEqual(0);
    expect(reconnectInMs).toBeLessThan(10_000);
    const late = await openRawSocket(world.url);
    late.connect(world.token(alice));
    await until(() => late.ended() !== undefined, 'the end of the newcomer');
    expect(late.heard).toEqual([]);
    const left = new Promise((resolve) => client.socket.once('disconnect', resolve));
    await world.gateway.close();
    expect(await left).toBe('transport close');
    expect(world.metered.sockets).toBe(0);
  });

  test('refuse events while revocations are unknown, and close after 30 s', async () => {
    let staleMs = 0;
    await world.stop();
    world = await createWorld({
      revocations: { isRevoked: () => false, onRevoked: () => {}, staleMs: () => staleMs },
    });
    const alice = newUser();
    const groupId = await world.group(alice);
    const client = await world.client(alice);
    staleMs = 10_001;
    expect(await client.ask('typing', { groupId, isTyping: true })).toMatchObject({
      error: { code: 'UNAVAILABLE', retryable: true, retryAfterMs: 1_000 },
    });
    expect(client.socket.connected).toBe(true);
    staleMs = 30_001;
    await until(() => !client.socket.connected, 'the socket to end');
  });
});
