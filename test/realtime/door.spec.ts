import { randomUUID } from 'node:crypto';
import type { Socket as TcpSocket } from 'node:net';
import { AuthenticationFailed } from '../../src/auth/session.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import { type World, createWorld, newUser } from '../support/stages/sockets.ts';
import { until } from '../../tools/until.ts';

/** A text frame as clients send it, masked with zeros. */
const maskedFrame = (text: string) =>
  Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);

describe('an unauthenticated connection', () => {
  let world: World;
  let checks: number;
  beforeEach(async () => {
    checks = 0;
    world = await createWorld({
      async authenticate(token) {
        checks += 1;
        if (token === 'bad') throw new AuthenticationFailed('TOKEN_INVALID');
        const actor = { userId: newUser(), role: 'applicant' } as const;
        return { actor, sessionId: randomUUID(), kid: world.keys[0]!.kid, expiresAt: Date.now() + 600_000 };
      },
    });
  });
  afterEach(() => world.stop());
  const open = (address = '192.0.2.1') => openRawSocket(world.url, { headers: { 'x-address': address } });
  const refusalOf = (address: string) =>
    open(address).then(
      ({ ws }) => {
        ws.terminate();
        return undefined;
      },
      (error: { statusCode: number; headers: Record<string, string> }) => error,
    );

  test('is closed after three failed attempts, each of which is answered', async () => {
    const socket = await open();
    for (let attempt = 0; attempt < 3; attempt += 1) {
      socket.connect('bad');
      expect(await socket.answer(attempt)).toContain('TOKEN_INVALID');
    }
    await until(() => socket.ended() !== undefined, 'the end');
    expect(socket.ended()).toEqual({ code: 1008, reason: 'not authenticated' });
  });

  test('causes at most three token checks in a flood of bad tokens', async () => {
    const socket = await open();
    for (let count = 0; count < 5_000; count += 1) socket.connect('bad');
    await until(() => socket.ended() !== undefined, 'the end');
    expect(checks).toBeLessThanOrEqual(3);
  });

  test.each([
    ['a CONNECT to another namespace', '40/admin,{"token":"x"}'],
    ['an event', '42["sync",{}]'],
    ['an event of another namespace', '42/admin,["sync",{}]'],
    ['a DISCONNECT', '41'],
    ['an acknowledgement', '430[]'],
    ['an error', '44{}'],
    ['the header of a binary event', '451-["sync",{"_placeholder":true,"num":0}]'],
    ['a binary frame', Buffer.from([1, 2, 3])],
    ['an upgrade', '5'],
    ['a noop', '6'],
    ['invalid JSON', '40{"token":'],
    ['more than 64 KiB', `40${JSON.stringify({ token: 'x'.repeat(70_000) })}`],
  ])('is closed without an answer by %s', async (_, frame) => {
    const socket = await open();
    socket.ws.send(frame);
    await until(() => socket.ended() !== undefined, 'the end');
    expect([socket.heard, checks]).toEqual([[], 0]);
  });

  test.each(['pongs without a ping', 'pings'])('is closed for a flood of %s', async (what) => {
    const socket = await open();
    for (let count = 0; count < 500; count += 1) {
      if (what === 'pings') socket.ws.ping();
      else socket.ws.send('3');
    }
    await until(() => socket.ended() !== undefined, 'the end');
    expect(socket.ended()?.code).toBe(1008);
  });

  test('is refused before the upgrade after 300 failures from its address within a minute, other addresses are not', async () => {
    let sockets = 0;
    let refusal = await refusalOf('192.0.2.9');
    // The limit refills meanwhile, so a slow machine needs more failures.
    for (; refusal === undefined && sockets < 2_000; sockets += 1) refusal = await refusalOf('192.0.2.9');
    expect(sockets).toBeGreaterThanOrEqual(300);
    expect([refusal?.statusCode, refusal?.headers['retry-after']]).toEqual([429, '60']);
    expect(await refusalOf('192.0.2.10')).toBeUndefined();
  });

  test('counts towards a limit of 200 per address, unlike an authenticated one', async () => {
    const sockets = await Promise.all(Array.from({ length: 200 }, () => open()));
    expect((await refusalOf('192.0.2.1'))?.statusCode).toBe(429);
    expect(await refusalOf('192.0.2.2')).toBeUndefined();
    sockets[0]!.connect('good');
    expect(await sockets[0]!.answer()).toMatch(/^40/);
    const other = await open();
    sockets[1]!.ws.terminate();
    await until(() => refusalOf('192.0.2.1').then((refusal) => refusal === undefined), 'a place to be free');
    for (const { ws } of [...sockets, other]) ws.terminate();
  });
});

describe('a connection of a page', () => {
  test('is accepted from one label below a pattern, and from an app, when they are configured', async () => {
    const allowedOrigins = ['https://*.preview.example.org', 'capacitor://localhost'];
    const world = await createWorld({ settings: { allowedOrigins } });
    const statusOf = (origin: string) =>
      openRawSocket(world.url, { origin }).then(
        ({ ws }) => {
          ws.terminate();
          return 101;
        },
        ({ statusCode }: { statusCode: number }) => statusCode,
      );
    for (const origin of ['https://pr-7.preview.example.org', 'capacitor://localhost'])
      expect([origin, await statusOf(origin)]).toEqual([origin, 101]);
    for (const origin of ['https://a.b.preview.example.org', 'https://preview.example.org'])
      expect([origin, await statusOf(origin)]).toEqual([origin, 403]);
    await world.stop();
  });
});

describe('an authenticated connection', () => {
  let world: World;
  beforeAll(async () => (world = await createWorld()));
  afterAll(() => world.stop());

  async function enter(userId = newUser()) {
    const socket = await openRawSocket(world.url);
    socket.connect(world.token(userId));
    expect(await socket.answer()).toMatch(/^40/);
    return socket;
  }

  test('has one socket and is closed by the second of 20 CONNECTs', async () => {
    const alice = newUser();
    const socket = await openRawSocket(world.url);
    for (let count = 0; count < 20; count += 1) socket.connect(world.token(alice));
    await until(() => socket.ended() !== undefined, 'the end');
    expect(socket.heard.filter((answer) => answer.startsWith('40')).length).toBeLessThanOrEqual(1);
    const entered = await enter(alice);
    entered.connect(world.token(alice));
    await until(() => entered.ended() !== undefined, 'the end');
    await until(() => world.metered.sockets === 0, 'no socket to be left');
  });

  test.each([
    ['unknown events', '42["nothing"]'],
    ['malformed events', '42["markRead",{}]'],
    ['acknowledgements without an event', '430[]'],
    ['pongs without a ping', '3'],
    ['noop packets', '6'],
  ])('is closed for a flood of %s', async (_, frame) => {
    const socket = await enter();
    for (let count = 0; count < 500; count += 1) socket.ws.send(frame);
    await until(() => socket.ended() !== undefined, 'the end');
    expect(socket.ended()).toEqual({ code: 1008, reason: 'too many refused events' });
    expect(socket.heard.length).toBeLessThan(250);
  });

  test('is closed for an empty message, without effect on other connections', async () => {
    const socket = await enter();
    socket.ws.send('4');
    await until(() => socket.ended() !== undefined, 'the end');
    await enter();
  });

  test('is not read from once it is being closed', async () => {
    let read = () => 0;
    world.httpServer.on('connection', (tcp) => (read = () => tcp.bytesRead));
    const socket = await enter();
    const tcp = (socket.ws as unknown as { _socket: TcpSocket })._socket;
    const frames = Buffer.concat(Array<Buffer>(10_000).fill(maskedFrame('42["nothing"]')));
    for (let count = 0; count < 100; count += 1) tcp.write(frames);
    await until(() => socket.ended() !== undefined, 'the end');
    expect(read()).toBeLessThan(1_000_000);
  });

  test('is closed for a steady rate of twice its budget, not for one oversized burst', async () => {
    const calm = await createWorld({ requestsPerMinute: 300 });
    const alice = newUser();
    const groupId = await calm.group(alice);
    const client = await calm.client(alice);
    const burst = (events: number) => {
      for (let count = 0; count < events; count += 1) client.any.emit('joinRoom', { groupId });
    };
    burst(350);
    await client.asks('sendMessage', { groupId, clientMsgId: randomUUID(), text: 'Still here' });
    burst(350);
    await until(() => !client.socket.connected, 'the end');
    await calm.stop();
  });

  test('queues at most 4 MiB of events', async () => {
    const held = await createWorld({
      queries: {
        roomsOfUser: () => new Promise(() => {}),
        headsOfThreads: async () => [],
      },
    });
    const socket = await openRawSocket(held.url);
    socket.connect(held.token(newUser()));
    await socket.answer();
    for (let id = 0; id < 100; id += 1) socket.ws.send(`42${id}["sync",{"groups":"${'x'.repeat(60_000)}"}]`);
    await until(() => socket.heard.length > 30, 'the answers');
    expect(socket.heard.slice(1).every((answer) => answer.includes('RATE_LIMITED'))).toBe(true);
    await held.stop();
  });
});
