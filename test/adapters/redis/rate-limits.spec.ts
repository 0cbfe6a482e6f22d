import { type PerMinute, RateLimited, type RateLimits } from '../../../src/protocol/rate-limits.ts';
import { createMemoryRateLimits } from '../../../src/adapters/memory/rate-limits.ts';
import type { RedisLinks } from '../../../src/adapters/redis/links.ts';
import { createRedisRateLimits } from '../../../src/adapters/redis/rate-limits.ts';
import { limitsOf } from '../../support/stages/rate-limits.ts';
import { type Redis, linksTo, startRedis } from '../../../tools/redis.ts';
import { startTcpProxy } from '../../../tools/tcp-proxy.ts';
import { until } from '../../../tools/until.ts';
import { exhaust, rateLimitsContract } from '../rate-limits-contract.ts';

const few = limitsOf({ messagesPerMinute: 3, failedLoginsPerMinute: 2, requestsPerMinute: 100 });

// Jest fails the running test on an unhandled rejection.
describe('rate limits in Redis', () => {
  let redis: Redis;
  const nodes: RedisLinks[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.close();
    await redis.restart();
  });
  afterAll(() => redis.stop());

  async function node(url = redis.url) {
    const links = await linksTo(url);
    nodes.push(links);
    const create = (limits: PerMinute): RateLimits =>
      createRedisRateLimits({ redis: links, limits, insurance: createMemoryRateLimits(limits) });
    return { links, rateLimits: create(few), create };
  }

  rateLimitsContract(async (limits) => (await node()).create(limits));

  test('are shared by all nodes', async () => {
    const here = await node();
    const there = await node();
    await exhaust(here.rateLimits, 'ada');
    await expect(there.rateLimits.consume('messages', 'ada')).rejects.toThrow(RateLimited);
    await expect(there.rateLimits.check('messages', 'ada')).rejects.toThrow(RateLimited);
  });

  test('share what is spent of a budget with the other nodes soon', async () => {
    const here = await node();
    const there = await node();
    here.rateLimits.spend('requests', 'ada', 60);
    const left = () => there.rateLimits.spend('requests', 'ada', 0).remaining;
    expect(there.rateLimits.spend('requests', 'ada', 10).remaining).toBe(90);
    await until(() => left() === 30, 'the other node to receive it');
    here.rateLimits.spend('requests', 'ada', 5);
    there.rateLimits.spend('requests', 'ada', 5);
    await until(() => left() <= 25, 'the other notifications');
    await until(() => {
      there.rateLimits.spend('requests', 'ada', 1);
      return left() < 20;
    }, 'both to count together');
    expect(() => there.rateLimits.spend('requests', 'ada', 21)).toThrow(RateLimited);
  });

  test('count a budget on each node separately while Redis is dead', async () => {
    const { rateLimits } = await node();
    await redis.kill();
    expect(rateLimits.spend('requests', 'ada', 60).remaining).toBe(40);
    expect(rateLimits.spend('requests', 'ada', 40).remaining).toBe(0);
    expect(() => rateLimits.spend('requests', 'ada', 1)).toThrow(RateLimited);
  });

  test('store no address in Redis, and expire there', async () => {
    const { rateLimits } = await node();
    await rateLimits.consume('failed-logins', 'ada@example.org 192.0.2.1');
    const keys = (await redis.ask('KEYS', '*')) as string[];
    expect(keys).toStrictEqual([expect.stringMatching(/^chat:limit:failed-logins:[\w-]{43}$/)]);
    expect(await redis.ask('TTL', keys[0]!)).toBeGreaterThan(50);
  });

  test('apply on each node separately while Redis is dead, and together again afterwards', async () => {
    const { rateLimits, links } = await node();
    await redis.kill();
    expect(await exhaust(rateLimits, 'ada')).toBe(3);
    await expect(rateLimits.check('messages', 'ada')).rejects.toThrow(RateLimited);

    await redis.restart();
    await until(() => links.failure() === undefined, 'Redis is in reach');
    expect(await exhaust(rateLimits, 'bob')).toBe(3);
    expect(await redis.ask('DBSIZE')).toBe(1);
  });

  test('answer within their deadline while Redis hangs', async () => {
    const { rateLimits } = await node();
    redis.hang();
    expect(await rateLimits.consume('messages', 'ada')).toMatchObject({ remaining: 2 });
  });

  test('answer within their deadline while packets are lost, and at once when this has been noticed', async () => {
    const proxy = await startTcpProxy({ to: Number(new URL(redis.url).port) });
    const { rateLimits, links } = await node(`redis://127.0.0.1:${proxy.port}`);
    proxy.blackHole();
    expect(await rateLimits.consume('messages', 'ada')).toMatchObject({ remaining: 2 });

    await until(() => links.commands.failure() !== undefined, 'the black hole is noticed');
    expect(await exhaust(rateLimits, 'ada')).toBe(2);
    // They would outlast the test if each waited for half a second.
    for (let n = 0; n < 200; n += 1)
      expect(await rateLimits.consume('messages', `user ${n}`)).toMatchObject({ remaining: 2 });

    proxy.heal();
    await until(() => links.failure() === undefined, 'Redis is in reach');
    expect(await rateLimits.consume('messages', 'bob')).toMatchObject({ remaining: 2 });
    await proxy.close();
  });

  test('start anew when Redis loses its data', async () => {
    const { rateLimits } = await node();
    await exhaust(rateLimits, 'ada');
    await redis.flush();
    expect(await exhaust(rateLimits, 'ada')).toBe(3);
  });
});
