import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { textFrame } from '../../src/realtime/delivery/wire.ts';
import { type World, createWorld, newUser } from '../support/stages/sockets.ts';
import { until } from '../../tools/until.ts';

describe('outgoing frames', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world.stop());

  /** A client that speaks the raw protocol and can stop reading. */
  async function rawClient(userId: string) {
    const ws = new WebSocket(`${world.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    const frames: string[] = [];
    ws.on('message', (data: Buffer) => frames.push(data.toString()));
    await until(() => frames.length > 0, 'the handshake');
    ws.send(`40${JSON.stringify({ token: world.token(userId) })}`);
    await until(() => frames.some((frame) => frame.startsWith('42["joinRoom"')), 'the rooms');
    return { ws, frames };
  }

  test('cut a client that does not read as "slow consumer", with bounded memory and no effect on others', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const fast = await world.client(alice);
    const slow = await rawClient(bob);
    slow.ws.pause();
    const closed = new Promise<[number, string]>((resolve) =>
      slow.ws.on('close', (code, reason) => resolve([code, String(reason)])),
    );
    const before = process.memoryUsage().rss;
    let highest = 0;
    const padding = 'x'.repeat(50_000);
    for (let seq = 0; seq < 4_000; seq += 1) {
      world.gateway.announceRead({ groupId, userId: `${seq}`, seq, padding: padding + seq } as never);
      if (seq % 20 === 19) {
        await until(() => fast.all('messagesRead').length > seq - 40, 'the fast client to keep up');
        for (const reading of fast.all('messagesRead')) delete (reading as { padding?: string }).padding;
        highest = Math.max(highest, process.memoryUsage().rss - before);
      }
    }
    expect(world.metered.cut).toBe(1);
    expect(highest).toBeLessThan(200 * 2 ** 20);
    await until(() => world.metered.sockets === 1, 'the slow socket to be gone');
    await until(() => fast.all('messagesRead').length === 4_000, 'the fast client to receive all');
    slow.ws.resume();
    const [code, reason] = await closed;
    expect([1006, 4008]).toContain(code);
    if (code === 4008) expect(reason).toBe('slow consumer');
  });

  test('carry the close reason to a slow client that still reads', async () => {
    await world.stop();
    world = await createWorld({ settings: { maxUnsentBytes: 200_000 } });
    const alice = newUser();
    const groupId = await world.group(alice);
    const { ws } = await rawClient(alice);
    const closed = new Promise((resolve) =>
      ws.on('close', (code, reason) => resolve([code, String(reason)])),
    );
    ws.pause();
    for (let seq = 0; world.metered.cut === 0; seq += 1) {
      world.gateway.announceRead({ groupId, userId: 'x'.repeat(100_000) as never, seq });
      await new Promise(setImmediate);
    }
    ws.resume();
    expect(await closed).toEqual([4008, 'slow consumer']);
  });

  test('do not cut a client for a large burst within one turn', async () => {
    const alice = newUser();
    const groupId = await world.group(alice);
    const client = await world.client(alice);
    for (let seq = 0; seq < 20; seq += 1)
      world.gateway.announceRead({ groupId, userId: 'x'.repeat(100_000) as never, seq });
    await until(() => client.all('messagesRead').length === 20, 'the burst');
    expect(world.metered.cut).toBe(0);
  });

  test('go out in one write per turn, in order', async () => {
    const alice = newUser();
    const groupId = await world.group(alice);
    let accepted: Socket | undefined;
    world.httpServer.on('connection', (socket: Socket) => (accepted = socket));
    const client = await world.client(alice);
    await client.asks('typing', { groupId, isTyping: true });
    const writes: number[] = [];
    const write = accepted!.write.bind(accepted);
    accepted!.write = ((chunk: Buffer) => {
      writes.push(chunk.length);
      return write(chunk);
    }) as Socket['write'];
    for (let seq = 0; seq < 10; seq += 1) world.gateway.announceRead({ groupId, userId: alice, seq });
    await until(() => client.all('messagesRead').length === 10, 'the pushes');
    expect(client.all('messagesRead').map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(writes).toHaveLength(1);
  });

  test('reach other clients when one connection breaks in the middle of a burst', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const client = await world.client(alice);
    const { ws } = await rawClient(bob);
    for (let seq = 0; seq < 100; seq += 1) {
      world.gateway.announceRead({ groupId, userId: alice, seq });
      if (seq === 50) ws.terminate();
      if (seq % 10 === 0) await new Promise(setImmediate);
    }
    await until(() => client.all('messagesRead').length === 100, 'the pushes');
    await until(() => world.metered.sockets === 1, 'the broken socket to be gone');
  });

  test.each([0, 125, 126, 65_535, 65_536])('encode %d bytes as a valid WebSocket frame', (length) => {
    const text = 'x'.repeat(length);
    const frame = textFrame(text);
    const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    expect(frame).toHaveLength(header + length);
    expect(frame[0]).toBe(0x81);
    const told =
      header === 2 ? frame[1] : header === 4 ? frame.readUInt16BE(2) : Number(frame.readBigUInt64BE(2));
    expect(told).toBe(length);
    expect(String(frame.subarray(header))).toBe(text);
  });
});
