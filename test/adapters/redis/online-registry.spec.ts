import type { GroupId, UserId } from '../../../src/events/ids.ts';
import { newId } from '../../../src/kit/uuids.ts';
import type { RedisLinks } from '../../../src/adapters/redis/links.ts';
import { createRedisOnlineRegistry } from '../../../src/adapters/redis/online-registry.ts';
import { ATTENDANCE_MS, type Attendance } from '../../../src/realtime/presence/online-registry.ts';
import { type Redis, linksTo, startRedis } from '../../../tools/redis.ts';
import { until } from '../../../tools/until.ts';

const user = () => newId() as UserId;
const sockets = (count: number): Attendance => ({ sockets: count, received: [] });
const nobody = sockets(0);

describe('the registry of online users in Redis', () => {
  let redis: Redis;
  let links: RedisLinks;
  let time: number;
  beforeAll(async () => {
    redis = await startRedis();
    links = await linksTo(redis.url);
  });
  beforeEach(async () => {
    await redis.flush();
    time = Date.now();
  });
  afterAll(async () => {
    await links.close();
    await redis.stop();
  });

  const node = (nodeId: string) => createRedisOnlineRegistry({ redis: links, nodeId, now: () => time });

  test('gives each node the entries of the others', async () => {
    const [here, there, third] = [node('here'), node('there'), node('third')];
    const [ada, bob, eve] = [user(), user(), user()];
    const received = [{ from: time - 2_000, until: time, leftRooms: [newId() as GroupId] }];
    await here.report(new Map([[ada, { sockets: 2, received }]]));
    await third.report(new Map([[ada, sockets(1)]]));
    await there.report(new Map([[bob, sockets(1)]]));
    const found = await there.elsewhere([ada, bob, eve]);
    expect([...found.keys()]).toStrictEqual([ada]);
    expect(found.get(ada)).toHaveLength(2);
    expect(found.get(ada)).toEqual(expect.arrayContaining([{ sockets: 2, received }, sockets(1)]));
  });

  test('drops a user whom a node no longer reports', async () => {
    const [here, there] = [node('here'), node('there')];
    const ada = user();
    await here.report(new Map([[ada, sockets(1)]]));
    await here.report(new Map([[ada, nobody]]));
    expect(await there.elsewhere([ada])).toStrictEqual(new Map());
    expect(await redis.ask('DBSIZE')).toBe(0);
  });

  test('keeps what was received while it is reported, after the last socket is gone', async () => {
    const gone = { sockets: 0, received: [{ from: time, until: time + 1, leftRooms: [] }] };
    const ada = user();
    await node('here').report(new Map([[ada, gone]]));
    expect(await node('there').elsewhere([ada])).toStrictEqual(new Map([[ada, [gone]]]));
  });

  test('drops a node that has reported nothing for a minute, whatever others report', async () => {
    const [here, there] = [node('here'), node('there')];
    const ada = user();
    await here.report(new Map([[ada, sockets(3)]]));
    time += ATTENDANCE_MS;
    expect(await there.elsewhere([ada])).toStrictEqual(new Map([[ada, [sockets(3)]]]));
    expect(await there.admit(ada, sockets(1), 3)).toBe(false);
    time += 1;
    expect(await there.elsewhere([ada])).toStrictEqual(new Map());
    expect(await there.admit(ada, sockets(1), 3)).toBe(true);
  });

  test('leaves nothing in Redis for users who are no longer reported', async () => {
    const ada = user();
    await node('here').report(new Map([[ada, sockets(1)]]));
    const left = await redis.ask('PTTL', `chat:attendance:${ada}`);
    expect(left).toBeGreaterThan(ATTENDANCE_MS - 5_000);
    expect(left).toBeLessThanOrEqual(ATTENDANCE_MS);
  });

  test('admits on one node only when two concurrent nodes would exceed the limit together', async () => {
    const others = await linksTo(redis.url);
    const here = node('here');
    const there = createRedisOnlineRegistry({ redis: others, nodeId: 'there' });
    for (let round = 0; round < 50; round += 1) {
      const ada = user();
      const admitted = await Promise.all([
        here.admit(ada, sockets(10), 20),
        there.admit(ada, sockets(11), 20),
      ]);
      expect(admitted.filter(Boolean)).toHaveLength(1);
      const told = [...(await node('third').elsewhere([ada])).values()].flat();
      expect(told).toHaveLength(1);
    }
    await others.close();
  });

  test('accepts a node with ten thousand users at once', async () => {
    const [here, there] = [node('here'), node('there')];
    const users = Array.from({ length: 10_000 }, user);
    await here.report(new Map(users.map((id) => [id, sockets(1)])));
    expect((await there.elsewhere(users)).size).toBe(10_000);
  });

  test('ignores foreign data in Redis', async () => {
    const [ada, bob] = [user(), user()];
    const key = `chat:attendance:${ada}`;
    const fields = [
      'a',
      '{',
      'b',
      'null',
      'c',
      `{"at":${time},"sockets":-5,"received":[]}`,
      'd',
      `{"at":"x"}`,
    ];
    await redis.ask('HSET', key, ...fields);
    expect(await node('here').admit(ada, sockets(20), 20)).toBe(true);
    expect(await node('there').elsewhere([ada])).toStrictEqual(new Map([[ada, [sockets(20)]]]));
    await redis.ask('SET', `chat:attendance:${bob}`, 'no hash');
    await expect(node('here').elsewhere([bob])).rejects.toThrow('WRONGTYPE');
    await expect(node('here').admit(bob, sockets(1), 20)).rejects.toThrow('WRONGTYPE');
  });

  test('rejects within its deadline while Redis hangs or is dead, and recovers', async () => {
    const here = node('here');
    const ada = user();
    const everything = () => [
      here.report(new Map([[ada, sockets(1)]])),
      here.admit(ada, sockets(1), 20),
      here.elsewhere([ada]),
    ];
    const refused = async () => {
      const outcomes = await Promise.allSettled(everything());
      expect(outcomes.map(({ status }) => status)).toStrictEqual(['rejected', 'rejected', 'rejected']);
    };
    const inReach = () => until(() => links.failure() === undefined, 'Redis is in reach');

    const goOn = redis.hang();
    await refused();
    await until(() => links.commands.failure() !== undefined, 'the silence is noticed');
    goOn();
    await inReach();
    await Promise.all(everything());

    await redis.kill();
    await refused();
    await redis.restart();
    await inReach();
    expect(await node('there').admit(ada, sockets(2), 2)).toBe(true);
  });
});
