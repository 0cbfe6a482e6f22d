import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, Socket as TcpSocket } from 'node:net';
import { EventStoreDBClient } from '@eventstore/db-client';
import { Metadata } from '@grpc/grpc-js';
import { createShardedAdapter } from '@socket.io/redis-adapter';
import { Server, type Socket } from 'socket.io';
import { io as connect } from 'socket.io-client';
import { containDiscovery } from '../src/adapters/eventstoredb/private-parts.ts';

/**
 * What the code uses besides the public APIs of its libraries. A library that changes one of these may be
 * upgraded only together with the file named here.
 */
describe('Private parts of libraries', () => {
  test('ws: sendFrame and the TCP socket of a connection, for realtime/delivery/wire.ts', async () => {
    const http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false });
    const connected = new Promise<Socket>((resolve) => io.on('connection', resolve));
    const { port } = http.address() as AddressInfo;
    const client = connect(`http://127.0.0.1:${port}`, { transports: ['websocket'] });
    try {
      const socket = await connected;
      const { socket: ws } = socket.conn.transport as unknown as {
        socket: { _socket: TcpSocket; _sender: { sendFrame: (...args: unknown[]) => void } };
      };
      expect(ws._socket).toBeInstanceOf(TcpSocket);
      const { sendFrame } = ws._sender;
      const frames: unknown[][] = [];
      ws._sender.sendFrame = function (...args) {
        frames.push(args);
        Reflect.apply(sendFrame, this, args);
      };
      const heard = new Promise((resolve) => client.on('said', resolve));
      socket.emit('said', 'hello');
      expect(await heard).toBe('hello');
      const [parts] = frames[0] as [Buffer[]];
      expect(Buffer.concat(parts.map((part) => Buffer.from(part))).toString()).toContain(
        '42["said","hello"]',
      );
    } finally {
      client.disconnect();
      await io.close();
    }
  });

  test('socket.io-adapter: publish, onMessage and the types of messages, for realtime/cluster/node-bus-adapter.ts and adapters/redis/node-bus.ts', async () => {
    const published: { channel: string; message: { uid: string; type: number; data: object } }[] = [];
    const client = {
      sPublish: async (channel: string, message: string) =>
        published.push({ channel, message: JSON.parse(message) as never }),
      sSubscribe: () => {},
      sUnsubscribe: () => {},
    };
    const io = new Server({
      adapter: createShardedAdapter(client, client, {
        channelPrefix: 'chat:push',
        subscriptionMode: 'dynamic',
      }) as never,
    });
    const adapter = io.of('/').adapter as unknown as Record<'uid' | 'publish' | 'onMessage', unknown>;
    expect(typeof adapter.uid).toBe('string');
    expect(typeof adapter.publish).toBe('function');
    expect(typeof adapter.onMessage).toBe('function');
    io.to('group:1').emit('said', 'hello');
    io.serverSideEmit('roster', {});
    expect(published).toEqual([
      {
        channel: 'chat:push#/#group:1#',
        message: expect.objectContaining({
          uid: adapter.uid,
          type: 3,
          data: expect.objectContaining({
            opts: expect.objectContaining({ rooms: ['group:1'], except: [] }),
          }),
        }),
      },
      {
        channel: 'chat:push#/#',
        message: expect.objectContaining({ type: 9, data: { packet: ['roster', {}] } }),
      },
    ]);
  });

  test('@eventstore/db-client: a failed search for the leader ends no process, for adapters/eventstoredb/private-parts.ts', async () => {
    const nowhere = 'esdb://127.0.0.1:1,127.0.0.1:2?tls=false&maxDiscoverAttempts=1&discoveryInterval=1';
    const unavailable = Object.assign(new Error('14 UNAVAILABLE'), { code: 14, metadata: new Metadata() });
    const broken = { getChannel: () => ({}) };
    /** Breaks a stream while another one has begun to search for the leader. */
    const breakStream = async (client: EventStoreDBClient) => {
      const searching = client['getChannel']();
      searching.catch(() => undefined);
      await client['handleError'](broken as never, unavailable as never);
    };
    await expect(breakStream(EventStoreDBClient.connectionString(nowhere))).rejects.toThrow(/discover/);
    await breakStream(containDiscovery(EventStoreDBClient.connectionString(nowhere)));
  });

  test('@eventstore/db-client: how it opens calls and keeps its channel, for adapters/eventstoredb/private-parts.ts', async () => {
    const client = EventStoreDBClient.connectionString('esdb://127.0.0.1:1?tls=false');
    expect(typeof client['GRPCStreamCreator']).toBe('function');
    expect(typeof client['getChannel']).toBe('function');
    expect(client['callArguments']({ requiresLeader: true }, { deadline: Infinity })).toHaveLength(2);
    await client.dispose();
  });
});
