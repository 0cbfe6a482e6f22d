import { type Server as HttpServer, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { type Connection, createConnection } from '../../packages/chat-client/src/connection.ts';
import { until } from '../../tools/until.ts';

describe('a connection', () => {
  let http: HttpServer;
  let io: Server;
  let connection: Connection | undefined;

  beforeEach(async () => {
    http = createServer();
    io = new Server(http, { transports: ['websocket'], connectTimeout: 50 });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    connection?.close();
    await io.close();
  });

  function connect(get: () => Promise<string>): Connection {
    const { port } = http.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    connection = createConnection({ url, tokens: { get }, reconnectMs: [10, 20], learnPosition: () => {} });
    connection.open();
    return connection;
  }

  test('does not hold those who wait for their turn when it is closed', async () => {
    let asked = 0;
    io.on('connection', (socket) =>
      socket.on('sync', (_payload, ack: (answer: object) => void) => {
        asked += 1;
        const error = { code: 'RATE_LIMITED', status: 429, retryable: true, retryAfterMs: 3_600_000 };
        ack({ ok: false, error });
      }),
    );
    const { insist, opened, close } = connect(async () => 'token');
    await opened();
    const answer = insist('sync', { groups: [] });
    await until(() => asked === 1, 'the question');
    close();
    await expect(answer).rejects.toMatchObject({ retryable: true });
  });

  test('makes one socket of each transport, however late the token comes', async () => {
    const token = Promise.withResolvers<string>();
    let transports = 0;
    let sockets = 0;
    io.engine.on('connection', () => (transports += 1));
    io.on('connection', (socket) => {
      sockets += 1;
      socket.on('leaveRoom', (_payload, ack: (answer: object) => void) => ack({ ok: true }));
    });
    let tries = 0;
    const { opened, ask } = connect(() => {
      tries += 1;
      return token.promise;
    });
    // The server does not wait for long, so the client has tried again.
    await until(() => tries === 3, 'the third try');
    token.resolve('token');
    await opened();
    await ask('leaveRoom', { groupId: '' });
    expect(transports).toBeGreaterThanOrEqual(3);
    expect(sockets).toBe(1);
  }, 20_000);
});
