import { Server } from 'socket.io';
import { createRedisNodeBus } from '../../../src/adapters/redis/node-bus.ts';
import { openRedis } from '../../../src/adapters/redis/links.ts';
import { sendOverNodeBus } from '../../../src/realtime/cluster/deliver-everywhere.ts';
import { linesOf } from '../../support/log-lines.ts';
import { type Redis, linksTo, startRedis } from '../../../tools/redis.ts';
import { startTcpProxy } from '../../../tools/tcp-proxy.ts';
import { until } from '../../../tools/until.ts';

/** The id of a socket; the adapter uses nothing else of it. */
const SOCKET = 'a socket';

type Node = Awaited<ReturnType<typeof startNode>>;

function saidIn({ text }: { text: string }): string {
  const [name, said] = JSON.parse(text) as [string, { text: string }];
  return `${name} ${said.text}`;
}

/** A Socket.IO server without sockets that records what its adapter receives from others. */
async function startNode(url: string, log = linesOf('warn').log) {
  const redis = await linksTo(url, log);
  await redis.channels.subscribed();
  const bus = createRedisNodeBus({ redis });
  const io = new Server({ adapter: bus.adapter });
  const { adapter } = io.of('/');
  const heard: string[] = [];
  let returns = 0;
  bus.onReturn(() => (returns += 1));
  io.of('/').on('move', (what: string) => heard.push(`move ${what}`));
  const inherited = adapter as unknown as { onMessage(message: object): void };
  const onMessage = inherited.onMessage.bind(adapter);
  const nothing = () => {};
  const send = sendOverNodeBus(adapter, {
    write: nothing,
    handlers: { roster: nothing, staff: nothing, deleted: nothing, renamed: nothing, progress: nothing },
  });
  inherited.onMessage = (message) => {
    const { type, data } = message as { type: number; data: { packet: { text: string } } };
    if (type === 3) heard.push(saidIn(data.packet));
    else onMessage(message);
  };
  return {
    redis,
    bus,
    io,
    adapter,
    heard,
    returns: () => returns,
    async hear(...rooms: string[]) {
      void adapter.addAll(SOCKET, new Set(rooms));
      await bus.subscribed();
    },
    said: (room: string, text: string) => send({ data: ['said', { text }] }, { rooms: new Set([room]) }),
    async say(text: string) {
      this.said('group:1', text);
      io.serverSideEmit('move', text);
      await bus.takenOver();
    },
    async close() {
      // The server does not listen, so there is nothing else to close.
      await adapter.close();
      bus.close();
      await redis.close();
    },
  };
}

// Jest fails the running test on an unhandled rejection or an uncaught exception.
describe('the node bus over Redis', () => {
  let redis: Redis;
  let speaker: Node;
  let listener: Node;
  const logged = linesOf('warn');
  beforeAll(async () => {
    redis = await startRedis();
  });
  beforeEach(async () => {
    speaker = await startNode(redis.url);
    listener = await startNode(redis.url, logged.log);
    await listener.hear('group:1');
  });
  afterEach(async () => {
    await speaker.close();
    await listener.close();
  });
  afterAll(() => redis.stop());

  const hears = (text: string) =>
    until(() => listener.heard.includes(`said ${text}`) && listener.heard.includes(`move ${text}`), text);
  const inReach = (...nodes: Node[]) =>
    until(() => nodes.every(({ bus }) => bus.failure() === undefined), 'Redis is in reach', 15_000);
  const channels = async () =>
    ((await redis.ask('PUBSUB', 'SHARDCHANNELS')) as string[]).filter((name) => name.includes('group:'));

  test('carries events from one node to the rooms of another, and never back', async () => {
    await speaker.hear('group:1');
    await speaker.say('hello');
    await hears('hello');
    await listener.say('answer');
    await until(() => speaker.heard.length === 2);
    expect(speaker.heard).toStrictEqual(['said answer', 'move answer']);
  });

  test('misses nothing after it has subscribed to a room, whatever the number of rooms', async () => {
    const rooms = Array.from({ length: 3_000 }, (_, number) => `group:${number}`);
    await listener.hear(...rooms);
    for (const room of rooms) speaker.said(room, room);
    await speaker.bus.takenOver();
    await until(() => listener.heard.length === rooms.length);
    expect(await channels()).toHaveLength(rooms.length);
  });

  test('sends the messages of one turn in one piece', async () => {
    const reads = async () =>
      Number(/total_reads_processed:(\d+)/.exec((await redis.ask('INFO', 'stats')) as string)?.[1]);
    const before = await reads();
    for (let times = 0; times < 200; times += 1) speaker.said('group:1', 'hello');
    await speaker.bus.takenOver();
    // The links send heartbeats, too.
    expect((await reads()) - before).toBeLessThan(40);
    await until(() => listener.heard.length === 200);
  });

  test('receives nothing for a room that was left', async () => {
    listener.adapter.delAll(SOCKET);
    void listener.adapter.addAll(SOCKET, new Set(['group:1']));
    listener.adapter.delAll(SOCKET);
    await listener.bus.subscribed();
    expect(await channels()).toStrictEqual([]);
    void listener.adapter.addAll(SOCKET, new Set(['group:1']));
    await listener.bus.subscribed();
    expect(await channels()).toStrictEqual(['chat:push#/#group:1#']);
  });

  test('drops unexpected messages', async () => {
    const data = { packet: { text: '["said",{}]' }, opts: { rooms: [], except: [] } };
    const message = (change: object) => JSON.stringify({ uid: 'x', nsp: '/', type: 3, data, ...change });
    const forged = [
      '',
      '{',
      'null',
      '[]',
      '{}',
      '\u0093\u0001',
      message({ uid: 1 }),
      message({ data: {} }),
      message({ data: { ...data, requestId: 'x' } }),
      message({ data: { ...data, opts: { rooms: 'all', except: [] } } }),
      message({ data: { ...data, opts: { rooms: [], except: [], flags: 'x' } } }),
      message({ data: { ...data, packet: { data: ['said', {}] } } }),
      ...['', '{}', '[]', '["said"]', '["said","x"]', '[1,{}]', '["said",{}'].map((text) =>
        message({ data: { ...data, packet: { text } } }),
      ),
      // Messages that join sockets to rooms, remove them, close them and list them.
      ...[4, 5, 6, 7, 8, 10, 12, 99].map((type) => message({ type })),
      message({ type: 9, data: { packet: ['connection', {}] } }),
      message({ type: 9, data: { packet: ['error'] } }),
      message({ type: 9, data: { packet: ['move', 'x'], requestId: 'x' } }),
    ];
    for (const channel of ['chat:push#/#', 'chat:push#/#group:1#'])
      for (const text of forged) await redis.ask('SPUBLISH', channel, text);
    await speaker.say('hello');
    await hears('hello');
    expect(listener.heard).toHaveLength(2);
    expect(logged.lines().filter(({ channel }) => String(channel).startsWith('chat:push'))).toHaveLength(1);
  });

  test('reports a loss while Redis is dead, and receives again when it is back', async () => {
    await redis.kill();
    await expect(speaker.say('lost')).rejects.toThrow();
    await listener.bus.subscribed();
    await listener.hear('group:2');
    await until(() => listener.bus.failure() !== undefined);

    await redis.restart();
    await until(() => listener.returns() === 1 && speaker.returns() === 1, 'both have returned');
    await inReach(speaker, listener);
    expect((await channels()).toSorted()).toStrictEqual(['chat:push#/#group:1#', 'chat:push#/#group:2#']);
    await speaker.say('again');
    await hears('again');
    expect(listener.heard).not.toContain('said lost');
  });

  test('answers within its deadline while Redis hangs, at once when the failure is known, and recovers', async () => {
    const goOn = redis.hang();
    await expect(speaker.say('lost')).rejects.toThrow('no answer');
    await until(() => speaker.bus.failure() !== undefined && listener.bus.failure() !== undefined);
    // They would outlast the test if each waited for its deadline.
    for (let times = 0; times < 200; times += 1) await expect(speaker.say('lost')).rejects.toThrow();
    await listener.bus.subscribed();

    goOn();
    await inReach(speaker, listener);
    await until(() => listener.returns() === 1, 'the listener has returned');
    await speaker.say('again');
    await hears('again');
  });

  test('waits at most a second for rooms that it cannot subscribe to yet', async () => {
    const goOn = redis.hang();
    await listener.hear('group:2');
    goOn();
    await until(async () => (await channels()).length === 2, 'the subscription to the room');
  });

  test('notices a silently broken connection, and recovers on a new one', async () => {
    const proxy = await startTcpProxy({ to: Number(new URL(redis.url).port) });
    const remote = await startNode(`redis://127.0.0.1:${proxy.port}`);
    await remote.hear('group:1');
    proxy.blackHole();
    await until(() => remote.bus.failure() !== undefined, 'the black hole is noticed', 5_000);
    await speaker.say('unheard');
    await expect(remote.say('lost')).rejects.toThrow();
    await until(() => remote.bus.failure() !== 'it does not answer', 'it is given up', 10_000);
    const before = remote.returns();
    proxy.heal();
    await inReach(remote);
    await until(() => remote.returns() === before + 1, 'the node has returned');
    await speaker.say('again');
    await until(() => remote.heard.includes('said again'));
    await remote.close();
    await proxy.close();
  });

  test('is not affected by FLUSHALL', async () => {
    await redis.flush();
    await speaker.say('hello');
    await hears('hello');
    expect(listener.returns()).toBe(0);
  });

  test('reports each loss once, to the next caller', async () => {
    await redis.kill();
    await expect(speaker.say('lost')).rejects.toThrow();
    await speaker.bus.takenOver();
    await redis.restart();
    await inReach(speaker);
    await speaker.say('again');
  });

  test('starts without Redis, and connects later', async () => {
    await redis.kill();
    const links = openRedis({ url: redis.url, log: logged.log });
    const bus = createRedisNodeBus({ redis: links });
    const io = new Server({ adapter: bus.adapter });
    const heard: string[] = [];
    io.of('/').on('move', (what: string) => heard.push(what));
    await bus.subscribed();
    expect(bus.failure()).toBeDefined();

    const returned = Promise.withResolvers<void>();
    bus.onReturn(returned.resolve);
    await redis.restart();
    await returned.promise;
    await inReach(speaker);
    await speaker.say('hello');
    await until(() => heard.includes('hello'));
    bus.close();
    await links.close();
  });
});
