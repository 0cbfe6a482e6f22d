import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { type TcpProxy, startTcpProxy } from '../../tools/tcp-proxy.ts';
import { until } from '../../tools/until.ts';

/**
 * Resolves when bytes have passed another proxy back and forth a hundred times, by when all other bytes have
 * passed.
 */
async function othersPass(): Promise<void> {
  const echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const proxy = await startTcpProxy({ to: (echo.address() as AddressInfo).port });
  const client = connect(proxy.port, '127.0.0.1');
  for (let times = 0; times < 100; times += 1) {
    client.write('x');
    await once(client, 'data');
  }
  client.end();
  await once(client.resume(), 'close');
  await proxy.close();
  echo.close();
}

describe('a TCP proxy', () => {
  let server: Server;
  let proxy: TcpProxy;
  /** The server's sides of the connections. */
  let accepted: Socket[];
  let clients: Socket[];

  beforeEach(async () => {
    accepted = [];
    clients = [];
    server = createServer({ allowHalfOpen: true }, (socket) => {
      accepted.push(socket);
      socket.on('error', () => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await startTcpProxy({ to: (server.address() as AddressInfo).port });
  });

  afterEach(async () => {
    await proxy.close();
    for (const socket of [...accepted, ...clients]) socket.destroy();
    server.close();
  });

  async function open(): Promise<Socket> {
    const client = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
    client.on('error', () => undefined);
    clients.push(client);
    await once(client, 'connect');
    return client;
  }
  async function join() {
    const count = accepted.length;
    const client = await open();
    await until(() => accepted.length > count, 'the server accepts');
    const far = accepted.at(-1)!;
    return { client, far, atServer: textOf(far), atClient: textOf(client) };
  }
  function textOf(socket: Socket): () => string {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    return () => text;
  }

  test('passes bytes and ends in both directions', async () => {
    const { client, far, atServer, atClient } = await join();
    client.end('hello');
    await once(far, 'end');
    expect(atServer()).toBe('hello');
    far.end('goodbye');
    await once(client, 'close');
    expect(atClient()).toBe('goodbye');
  });

  test('holds all bytes back in a black hole, and delivers them afterwards', async () => {
    const { client, far, atServer, atClient } = await join();
    proxy.blackHole();
    client.end('late ');
    far.write('answer');
    let hasEnded = false;
    far.once('end', () => (hasEnded = true));
    await othersPass();
    expect([atServer(), atClient(), hasEnded]).toEqual(['', '', false]);
    proxy.heal();
    await until(() => hasEnded && atClient() === 'answer', 'the delayed bytes');
    expect(atServer()).toBe('late ');
  });

  test('accepts connections in a black hole that receive nothing until it ends', async () => {
    proxy.blackHole();
    const client = await open();
    client.write('anybody there?');
    await othersPass();
    expect(accepted).toHaveLength(0);
    proxy.heal();
    await until(() => accepted.length === 1, 'the server accepts');
    const heard = textOf(accepted[0]!);
    await until(() => heard() === 'anybody there?', 'the delayed bytes');
  });

  test('hides a reset by the other side while nothing passes', async () => {
    const { client, far } = await join();
    const closed = new Promise((resolve) => client.once('close', resolve));
    proxy.blackHole();
    far.resetAndDestroy();
    await othersPass();
    expect(client.destroyed).toBe(false);
    proxy.heal();
    await closed;
  });

  test('resets every connection on a cut, and accepts new ones', async () => {
    const { client, far } = await join();
    const errors = Promise.all([client, far].map((socket) => once(socket, 'error')));
    proxy.cut();
    const codes = (await errors).map(([error]) => (error as NodeJS.ErrnoException).code);
    expect(codes).toEqual(['ECONNRESET', 'ECONNRESET']);
    const again = await join();
    again.client.write('again');
    await until(() => again.atServer() === 'again', 'the new connection');
  });

  test('accepts no more than its buffers hold while the receiver does not read', async () => {
    const client = await open();
    await until(() => accepted.length === 1, 'the server accepts');
    accepted[0]!.pause();
    const chunk = Buffer.alloc(1_048_576, 'x');
    for (let count = 0; count < 64; count += 1) client.write(chunk);
    await othersPass();
    expect(client.writableLength).toBeGreaterThan(32 * chunk.length);
    let received = 0;
    accepted[0]!.on('data', ({ length }) => (received += length));
    accepted[0]!.resume();
    await until(() => received === 64 * chunk.length, 'all of it');
  });
});
