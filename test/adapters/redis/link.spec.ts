import { createServer } from 'node:net';
import { type RedisLink, keepRedisLink, redisAddress } from '../../../src/adapters/redis/link.ts';
import { openRedis } from '../../../src/adapters/redis/links.ts';
import { freePort } from '../../../tools/server-process.ts';
import { type Redis, type RedisProcess, linksTo, startRedis, startSentinel } from '../../../tools/redis.ts';
import { until } from '../../../tools/until.ts';
import { linesOf } from '../../support/log-lines.ts';

const PASSWORD = 's3cret/@:';
const ENCODED = encodeURIComponent(PASSWORD);
const GROUP = 'chat';
/** Sentinels that vote for themselves at once begin a new election after twice the failover timeout. */
const FAILOVER_MS = 40_000;

describe('The address of a URL', () => {
  test.each([
    ['redis://redis', { host: 'redis', db: 0 }],
    ['redis://redis/', { host: 'redis', db: 0 }],
    ['redis://redis?db=2', { host: 'redis', db: 2 }],
    [
      'redis://user:p%40ss@redis:6380/3?family=6',
      { host: 'redis', port: 6380, username: 'user', password: 'p@ss', db: 3, family: 6 },
    ],
    ['redis://:secret@[::1]', { host: '::1', password: 'secret', db: 0 }],
    ['rediss://redis', { host: 'redis', db: 0, tls: {} }],
    ['unix:///run/my%20redis.sock', { path: '/run/my redis.sock', db: 0 }],
    [
      'unix://user:secret@/run/redis.sock?db=1',
      { path: '/run/redis.sock', username: 'user', password: 'secret', db: 1 },
    ],
    [
      'redis+sentinel://:secret@a,[::1]:26380/chat/3',
      {
        sentinels: [
          { host: 'a', port: 26_379 },
          { host: '::1', port: 26_380 },
        ],
        name: 'chat',
        password: 'secret',
        db: 3,
      },
    ],
    [
      'rediss+sentinel://a/chat',
      {
        sentinels: [{ host: 'a', port: 26_379 }],
        name: 'chat',
        db: 0,
        tls: {},
        sentinelTLS: {},
        enableTLSForSentinelMode: true,
      },
    ],
  ])('is what the client takes: %s', (url, address) => {
    expect(redisAddress(url)).toEqual(address);
  });
});

describe('A link to Redis', () => {
  const opened: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()));
  });

  const logged = linesOf('info');
  function link(url: string): RedisLink {
    const kept = keepRedisLink({ url, name: 'test', log: logged.log });
    opened.push(kept);
    return kept;
  }
  const isUsable = (kept: RedisLink, withinMs?: number) =>
    until(() => kept.failure() === undefined, 'the link is usable', withinMs);

  /** Sets a key over a URL. Resolves with what it gets, and the databases that then hold keys. */
  async function setAndGet(url: string, redis: Redis): Promise<[answer: string | null, databases: string[]]> {
    await redis.flush();
    const kept = link(url);
    await isUsable(kept);
    await kept.client.set('key', 'value');
    const keyspace = String(await redis.ask('INFO', 'keyspace'));
    return [await kept.client.get('key'), keyspace.match(/db\d+/g) ?? []];
  }

  describe('of one server', () => {
    let redis: Redis;
    let locked: Redis;
    beforeAll(async () => {
      [redis, locked] = await Promise.all([startRedis(), startRedis({ password: PASSWORD })]);
    });
    afterAll(() => Promise.all([redis.stop(), locked.stop()]));

    test('goes over its Unix socket', async () => {
      expect(await setAndGet(`unix://${redis.socket}`, redis)).toEqual(['value', ['db0']]);
    });

    test.each([
      ['a Unix socket', () => `unix://${redis.socket}?db=1`],
      ['TCP', () => `${redis.url}/1`],
    ])('uses the database that the URL names, over %s', async (_, url) => {
      expect(await setAndGet(url(), redis)).toEqual(['value', ['db1']]);
    });

    test.each([
      ['a Unix socket', () => `unix://:${ENCODED}@${locked.socket}`],
      ['TCP', () => locked.url],
    ])('logs in with the password of the URL, over %s', async (_, url) => {
      expect(await setAndGet(url(), locked)).toEqual(['value', ['db0']]);
    });
  });

  describe('behind sentinels', () => {
    let redis: Redis;
    let sentinels: RedisProcess[];
    beforeEach(async () => {
      redis = await startRedis({ password: PASSWORD });
      sentinels = await Promise.all([0, 1].map(() => startSentinel({ name: GROUP, primary: redis })));
    });
    afterEach(() => Promise.all([redis, ...sentinels].map((each) => each.stop())));
    const url = (path = GROUP) =>
      `redis+sentinel://:${ENCODED}@${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${path}`;

    test('is usable while one sentinel is dead', async () => {
      await sentinels[0]!.kill();
      expect(await setAndGet(url(), redis)).toEqual(['value', ['db0']]);
    });

    test('is usable while one sentinel hangs', async () => {
      sentinels[0]!.hang();
      expect(await setAndGet(url(), redis)).toEqual(['value', ['db0']]);
    });

    test('uses the database that the URL names', async () => {
      expect(await setAndGet(url(`${GROUP}/2`), redis)).toEqual(['value', ['db2']]);
    });

    test('reports that no sentinel answers, and is usable once one does', async () => {
      await Promise.all(sentinels.map((sentinel) => sentinel.kill()));
      const kept = link(url());
      const warnings = () => logged.lines().filter(({ reason }) => reason === 'no sentinel names a primary');
      const before = warnings().length;
      await until(() => warnings().length > before, 'the warning');
      expect(kept.failure()).toBe('no sentinel names a primary');
      await sentinels[1]!.restart();
      await isUsable(kept);
    });

    test('reports that the sentinels do not know the group', async () => {
      const kept = link(url('another'));
      await until(() => kept.failure() === 'no sentinel names a primary', 'the reason');
    });

    test('closes within 2 s while no sentinel answers', async () => {
      for (const sentinel of sentinels) sentinel.hang();
      const kept = keepRedisLink({ url: url(), name: 'test', log: logged.log });
      const began = performance.now();
      await kept.close();
      expect(performance.now() - began).toBeLessThan(2_000);
    });

    test('counts as unusable while Redis hangs, and reopens', async () => {
      const kept = link(url());
      await isUsable(kept);
      // The sentinels have no replica to promote.
      const goOn = redis.hang();
      const first = kept.client.stream;
      await until(() => kept.failure() !== undefined, 'the failure');
      await until(() => first.destroyed, 'the connection to be given up');
      goOn();
      await isUsable(kept);
    });

    test('carries sharded publishing, and subscribes again after Redis was restarted', async () => {
      const links = await linksTo(url(), logged.log);
      opened.push(links);
      const heard: string[] = [];
      links.channels.subscribe('chat:test', (message) => heard.push(message.toString()));
      await links.channels.subscribed();
      await links.channels.publish('chat:test', 'one');
      await until(() => heard.length === 1, 'the first message');
      let returns = 0;
      links.channels.onReturn(() => (returns += 1));
      await redis.restart();
      await until(() => returns > 0 && links.failure() === undefined, 'the channels are back', FAILOVER_MS);
      await links.channels.publish('chat:test', 'two');
      await until(() => heard.length === 2, 'the second message');
      expect(heard).toEqual(['one', 'two']);
    });

    describe('of a primary and a replica', () => {
      let replica: Redis;
      beforeEach(async () => {
        replica = await startRedis({ password: PASSWORD, primary: redis });
        const isFollowing = async (sentinel: RedisProcess) => {
          const replicas = (await sentinel.ask('SENTINEL', 'REPLICAS', GROUP)) as unknown[][];
          const others = (await sentinel.ask('SENTINEL', 'SENTINELS', GROUP)) as unknown[][];
          return others.length === 1 && replicas.length === 1;
        };
        await until(
          async () => (await Promise.all(sentinels.map(isFollowing))).every(Boolean),
          'the sentinels know the replica and each other',
        );
      });
      afterEach(() => replica.stop());

      test('is usable again after the primary was killed and the replica promoted', async () => {
        const kept = link(url());
        const links = await linksTo(url(), logged.log);
        opened.push(links);
        const heard: string[] = [];
        links.channels.subscribe('chat:test', (message) => heard.push(message.toString()));
        await links.channels.subscribed();
        await isUsable(kept);
        let returns = 0;
        links.channels.onReturn(() => (returns += 1));

        await redis.kill();
        await until(() => kept.failure() !== undefined, 'the failure');
        await isUsable(kept, FAILOVER_MS);
        await kept.client.set('key', 'value');
        expect(await replica.ask('GET', 'key')).toBe('value');
        await until(() => returns > 0 && links.failure() === undefined, 'the channels are back');
        await links.channels.publish('chat:test', 'after');
        await until(() => heard.length > 0, 'the message');
      }, 120_000);
    });
  });

  test('speaks TLS to sentinels of a rediss+sentinel URL', async () => {
    const heard: Buffer[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => heard.push(data));
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const kept = keepRedisLink({
      url: `rediss+sentinel://127.0.0.1:${port}/chat`,
      name: 'test',
      log: logged.log,
    });
    await until(() => heard.length > 0, 'the first bytes');
    const TLS_HANDSHAKE = 0x16;
    expect(heard[0]![0]).toBe(TLS_HANDSHAKE);
    await kept.close();
    server.close();
  });
});

test('A connection that is there again after a failure is reported, the first one is not', async () => {
  const redis = await startRedis();
  const returned: string[] = [];
  const { log } = linesOf('silent');
  const links = openRedis({ url: redis.url, log, onReconnect: (link) => returned.push(link) });
  try {
    await until(() => links.failure() === undefined, 'Redis is in reach');
    expect(returned).toEqual([]);
    await redis.restart();
    const names = ['commands', 'hearing', 'publishing'];
    await until(() => returned.toSorted().join() === names.join(), 'each is reported');
  } finally {
    await links.close();
    await redis.stop();
  }
});
