import { createRedisLogWitness } from '../../../src/adapters/redis/log-witness.ts';
import { linksTo, startRedis } from '../../../tools/redis.ts';
import { describeWitness } from '../log-witness-contract.ts';

const open = async () => {
  const redis = await startRedis();
  const links = await linksTo(redis.url);
  return {
    redis,
    again: () => createRedisLogWitness({ redis: links }),
    async close() {
      await links.close();
      await redis.stop();
    },
  };
};

describeWitness('in Redis', open);

describe('the key of what was seen of a log', () => {
  let place: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => (place = await open()));
  afterAll(() => place.close());
  const first = { epoch: 'first', beganAt: 1_000 };

  test('replaces what is no sighting', async () => {
    for (const text of ['', '{', '[]', '7', '{"epoch":"first","position":"x"}']) {
      await place.redis.ask('SET', 'chat:log:log', text);
      expect(await place.again().recall('log')).toBeUndefined();
      await place.again().note('log', { ...first, position: 7 });
      expect(await place.again().recall('log')).toEqual({ ...first, position: 7 });
    }
  });
});
