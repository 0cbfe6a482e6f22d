import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { type Socket, io } from 'socket.io-client';
import { WebSocket } from 'ws';
import type { GroupId, UserId } from '../../src/events/ids.ts';
import type { ChatServer, ChatSocket } from '../../src/realtime/connection/connection.ts';
import { trackReceived } from '../../src/realtime/presence/received.ts';
import { Users } from '../../src/realtime/presence/users.ts';
import { type World, createWorld, newUser } from '../support/stages/sockets.ts';
import { startTcpProxy } from '../../tools/tcp-proxy.ts';
import { until } from '../../tools/until.ts';

const PING_MS = 50;
/** An event counts as sent before a ping only if it is this much older: the broadcaster may be late. */
const MARGIN_MS = 1_000;

describe('the record of what a user received', () => {
  let world: World;
  const closing: (() => unknown)[] = [];
  const open = async (change: Parameters<typeof createWorld>[0] = {}) =>
    (world = await createWorld({ settings: { pingIntervalMs: PING_MS }, ...change }));
  beforeEach(() => open());
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await world.stop();
  });

  /** A client behind a proxy, in its rooms. */
  async function behindProxy(userId: string) {
    const proxy = await startTcpProxy({ to: Number(new URL(world.url).port) });
    const socket: Socket = io(`http://127.0.0.1:${proxy.port}`, {
      transports: ['websocket'],
      auth: { token: world.token(userId) },
      forceNew: true,
      reconnection: false,
    });
    closing.push(proxy.close, () => socket.disconnect());
    let rooms = 0;
    socket.on('joinRoom', () => (rooms += 1));
    await until(() => rooms === 1, 'the rooms');
    return proxy;
  }

  const received = async (userId: UserId, at: number, groupId: string = randomUUID()) =>
    (await world.gateway.whereabouts.look([userId])).hasReceived(userId, at, groupId as GroupId);
  const online = async (userId: UserId) => (await world.gateway.online([userId])).has(userId);
  const toReceive = (userId: UserId, at: number) => until(() => received(userId, at), 'the answer to a ping');

  test('covers what was sent before an answered ping', async () => {
    const alice = newUser();
    const groupId = await world.group(alice);
    const client = await world.client(alice);
    await client.send(groupId, 'Hello');
    await client.hears('messageSent');
    const sentAt = Date.now();
    expect(await received(alice, sentAt)).toBe(false);
    await toReceive(alice, sentAt);
    expect(Date.now() - sentAt).toBeGreaterThanOrEqual(MARGIN_MS);
    expect(await received(alice, Date.now())).toBe(false);
    expect(await received(newUser(), sentAt)).toBe(false);
  });

  test('covers nothing that happened before the socket was in its rooms', async () => {
    const alice = newUser();
    await world.group(alice);
    const before = Date.now() - 1;
    await world.client(alice);
    await toReceive(alice, Date.now());
    expect(await received(alice, before)).toBe(false);
  });

  test('covers nothing after a silent loss of the connection, even while the socket is still open', async () => {
    // Longer than the margin: otherwise the ping that gets lost would prove nothing anyway.
    const pingIntervalMs = MARGIN_MS + 500;
    await world.stop();
    await open({ settings: { pingIntervalMs } });
    const [alice, bob] = [newUser(), newUser()];
    await world.group(alice, bob);
    await world.client(alice);
    const proxy = await behindProxy(bob);
    const beforeCut = Date.now();
    await toReceive(bob, beforeCut);
    proxy.blackHole();
    const afterCut = Date.now();
    await toReceive(alice, afterCut + pingIntervalMs);
    expect(await online(bob)).toBe(true);
    expect(await received(bob, afterCut)).toBe(false);
    expect(await received(bob, beforeCut)).toBe(true);
  });

  test('covers nothing of a group that the client has left with leaveRoom', async () => {
    const alice = newUser();
    const [heard, unheard] = [await world.group(alice), await world.group(alice)];
    const client = await world.client(alice);
    await client.asks('leaveRoom', { groupId: unheard });
    const sentAt = Date.now();
    await until(() => received(alice, sentAt, heard), 'the answer to a ping');
    expect(await received(alice, sentAt, unheard)).toBe(false);
  });

  test('covers what any of several sockets received', async () => {
    const alice = newUser();
    await world.group(alice);
    const proxy = await behindProxy(alice);
    await world.client(alice);
    proxy.blackHole();
    await toReceive(alice, Date.now());
  });

  test('covers nothing while the socket waits for its rooms', async () => {
    await world.stop();
    await open({ progress: { reached: async () => false } });
    const alice = newUser();
    const client = world.connect({ token: world.token(alice) });
    await until(() => client.socket.connected, 'the connection');
    let pings = 0;
    client.socket.io.on('ping', () => (pings += 1));
    const since = Date.now();
    await until(() => pings >= 3 && Date.now() - since > MARGIN_MS + 3 * PING_MS, 'the pings');
    expect(await online(alice)).toBe(true);
    expect(await received(alice, since)).toBe(false);
  });

  test('ignores pongs without a ping', async () => {
    await world.stop();
    await open({ settings: { pingIntervalMs: 60_000 } });
    const alice = newUser();
    await world.group(alice);
    const ws = new WebSocket(`${world.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    closing.push(() => ws.terminate());
    const frames: string[] = [];
    ws.on('message', (data: Buffer) => frames.push(data.toString()));
    await until(() => frames.length > 0, 'the handshake');
    ws.send(`40${JSON.stringify({ token: world.token(alice) })}`);
    await until(() => frames.some((frame) => frame.startsWith('42["joinRoom"')), 'the rooms');
    const since = Date.now();
    await until(() => Date.now() > since + MARGIN_MS, 'the margin to be over');
    ws.send('3');
    ws.send('421["typing",{"groupId":"x","isTyping":true}]');
    await until(() => frames.some((frame) => frame.startsWith('431')), 'the answer that follows the pong');
    expect(await received(alice, since)).toBe(false);
  });

  test('outlives the last socket', async () => {
    const alice = newUser();
    await world.group(alice);
    const client = await world.client(alice);
    const at = Date.now();
    await toReceive(alice, at);
    client.socket.disconnect();
    await until(async () => !(await online(alice)), 'the user to be offline');
    expect(await received(alice, at)).toBe(true);
    expect(await received(alice, Date.now())).toBe(false);
  });

  test('covers nothing for a socket that disconnected without a pong', async () => {
    const alice = newUser();
    await world.group(alice);
    const client = await world.client(alice);
    const at = Date.now();
    client.socket.disconnect();
    await until(async () => !(await online(alice)), 'the user to be offline');
    expect(await received(alice, at)).toBe(false);
  });
});

describe('the record of what a user received, by the clock', () => {
  const MINUTE_MS = 60_000;
  let clock: number;
  beforeEach(() => (clock = 1_000_000));

  /** One user whose sockets have only the parts that the tracker reads. */
  function scene() {
    const engine = new EventEmitter();
    const users = new Users(20);
    const tracker = trackReceived({ engine } as unknown as ChatServer, users, { now: () => clock });
    const user = users.admit(newUser(), {} as ChatSocket)!;
    return {
      tracker,
      received: (at: number) => tracker.hasReceived(user.id, at, randomUUID() as never),
      socket() {
        const conn = new EventEmitter();
        const wire = { isCut: false };
        const socket = { conn, data: { user, wire, leftRooms: new Set() } } as unknown as ChatSocket;
        user.sockets.add(socket);
        tracker.opened(socket);
        tracker.arrived(socket);
        return {
          ping: () => engine.emit('flush', conn, [{ type: 'message' }, { type: 'ping' }]),
          message: () => engine.emit('flush', conn, [{ type: 'message' }]),
          pong: () => conn.emit('heartbeat'),
          cut: () => (wire.isCut = true),
          leave() {
            user.sockets.delete(socket);
            tracker.gone(socket);
          },
        };
      },
    };
  }

  test('ends one second before the ping, not before its pong', () => {
    const { socket, received } = scene();
    const phone = socket();
    clock += 10_000;
    phone.ping();
    clock += 5_000;
    phone.message();
    phone.pong();
    expect([999_999, 1_000_000, 1_009_000, 1_009_001].map(received)).toEqual([false, true, true, false]);
  });

  test('is not extended by a ping that was not sent because the connection was cut as slow', () => {
    const { socket, received } = scene();
    const phone = socket();
    clock += 10_000;
    phone.ping();
    phone.cut();
    phone.pong();
    clock += 10_000;
    phone.ping();
    phone.pong();
    expect([1_009_000, 1_009_001].map(received)).toEqual([true, false]);
  });

  test('expires one minute after the disconnect, for each socket separately', () => {
    const { socket, received, tracker } = scene();
    const lives = () => {
      const phone = socket();
      clock += 10_000;
      phone.ping();
      phone.pong();
      phone.leave();
    };
    const first = clock;
    lives();
    clock += MINUTE_MS - 15_000;
    const second = clock;
    lives();
    tracker.sweep();
    expect([first, first + 9_001, second].map(received)).toEqual([true, false, true]);
    clock += 5_000;
    tracker.sweep();
    expect([first, second].map(received)).toEqual([false, true]);
    clock += MINUTE_MS - 5_001;
    tracker.sweep();
    expect(received(second)).toBe(true);
    clock += 1;
    expect(received(second)).toBe(false);
    tracker.sweep();
    clock -= 1;
    expect(received(second)).toBe(false);
  });
});
