import { type RevokedSessions, createRevocations } from '../../../src/auth/revocations.ts';
import { newId } from '../../../src/kit/uuids.ts';
import type { RedisLinks } from '../../../src/adapters/redis/links.ts';
import { createRedisRevocationNews } from '../../../src/adapters/redis/revocation-news.ts';
import { linesOf } from '../../support/log-lines.ts';
import { type Redis, linksTo, startRedis } from '../../../tools/redis.ts';
import { until } from '../../../tools/until.ts';

/** A store that announces nothing, so everything received comes through Redis. */
const silentStore: RevokedSessions = { endedWithin: async () => [], listen: () => undefined };

describe('revocation notices over Redis', () => {
  let redis: Redis;
  let here: RedisLinks;
  let there: RedisLinks;
  const logged = linesOf('warn');
  const nodes: { stop(): Promise<void> }[] = [];
  beforeAll(async () => {
    redis = await startRedis();
    here = await linksTo(redis.url);
    there = await linksTo(redis.url, logged.log);
  });
  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.stop();
  });
  afterAll(async () => {
    await here.close();
    await there.close();
    await redis.stop();
  });

  async function revocationsOver(links: RedisLinks) {
    const revocations = await createRevocations({
      sessions: silentStore,
      news: createRedisRevocationNews({ redis: links }),
      accessTokenSeconds: 600,
      log: logged.log,
    });
    nodes.push(revocations);
    await links.channels.subscribed();
    return revocations;
  }
  const inReach = () =>
    until(() => here.failure() === undefined && there.failure() === undefined, 'Redis is in reach');

  test('reach the other nodes long before these poll', async () => {
    const [near, far] = [await revocationsOver(here), await revocationsOver(there)];
    const sessionId = newId();
    near.revoke(sessionId);
    expect(near.isRevoked(sessionId)).toBe(true);
    await until(() => far.isRevoked(sessionId), 'the other node to receive it', 1_000);
  });

  test('are accepted in one format only', async () => {
    const far = await revocationsOver(there);
    for (const forged of ['', 'a', '*', 'x'.repeat(100_000)])
      await redis.ask('SPUBLISH', 'chat:revocations', forged);
    const sessionId = newId();
    await redis.ask('SPUBLISH', 'chat:revocations', sessionId);
    await until(() => far.isRevoked(sessionId));
    expect(far.isRevoked('a')).toBe(false);
    expect(logged.lines().filter(({ channel }) => channel === 'chat:revocations')).toHaveLength(1);
  });

  test('are lost while Redis is dead, without an error at logout, and arrive again afterwards', async () => {
    const [near, far] = [await revocationsOver(here), await revocationsOver(there)];
    await redis.kill();
    const [lost, told] = [newId(), newId()];
    near.revoke(lost);
    expect(near.isRevoked(lost)).toBe(true);
    await redis.restart();
    await inReach();
    await there.channels.subscribed();
    near.revoke(told);
    await until(() => far.isRevoked(told));
    expect(far.isRevoked(lost)).toBe(false);
  });
});
