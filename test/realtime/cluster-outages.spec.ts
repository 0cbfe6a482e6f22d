import { type ClusterStage, openClusterStage } from '../support/stages/cluster-stage.ts';
import { type TestClient, type World, newUser, whole } from '../support/stages/sockets.ts';
import { EPOCH } from '../support/stages/positions.ts';
import { type TcpProxy, startTcpProxy } from '../../tools/tcp-proxy.ts';
import { until } from '../../tools/until.ts';

const HEADS_MS = 1_000;
/** A node tries to reconnect to Redis at least every 2 s. */
const RETURN_MS = 5_000;

/** Expects that a client that follows the sync rule has every event up to `upTo`. */
async function complete(client: TestClient, groupId: string, upTo: number): Promise<void> {
  const highest = () =>
    Math.max(
      ...client.all('messageSent').map(({ seq }) => seq),
      ...client.all('heads').map(({ groups }) => groups[groupId] ?? 0),
    );
  await until(() => highest() >= upTo, `heads of ${upTo}`, RETURN_MS + HEADS_MS);
  const { groups } = await client.asks('sync', { groups: [{ groupId, afterSeq: 0 }] });
  expect(whole(groups[0]).events.map(({ seq }) => seq)).toEqual(
    Array.from({ length: upTo }, (_, n) => n + 1),
  );
}

describe('A cluster whose Redis loses its data', () => {
  let stage: ClusterStage;
  let here: World;
  let there: World;
  beforeEach(async () => {
    stage = await openClusterStage();
    const settings = { headsIntervalMs: HEADS_MS };
    [here, there] = [await stage.node({ settings }), await stage.node({ settings })];
    await stage.broadcaster();
  });
  afterEach(() => stage.close());

  async function pair() {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await here.group(alice, bob);
    return { bob, groupId, one: await here.client(alice), two: await there.client(bob) };
  }

  test('accepts commands during the outage and delivers every message soon after it', async () => {
    const { groupId, one, two } = await pair();
    await one.send(groupId, '1');
    await two.hears('messageSent');
    await stage.redis.kill();
    for (const text of ['2', '3', '4']) await one.send(groupId, text);
    await stage.redis.restart();
    await complete(two, groupId, 4);
    await complete(one, groupId, 4);
    await two.send(groupId, '5');
    await one.hears('messageSent', ({ seq }) => seq === 5);
  });

  test('corrects the rooms of members that joined or left during the outage', async () => {
    const { bob, groupId, one, two } = await pair();
    const carol = newUser();
    const three = await there.client(carol);
    await stage.redis.kill();
    await here.remove(groupId, bob);
    await here.join(groupId, carol);
    await stage.redis.restart();
    await two.hears('leaveRoom');
    await three.hears('joinRoom');
    await one.send(groupId, 'Welcome');
    await three.hears('messageSent');
    expect(two.all('messageSent')).toEqual([]);
  });

  test('keeps pushing after a flush and soon knows the presence of every user again', async () => {
    const { bob, groupId, one, two } = await pair();
    await stage.redis.flush();
    await one.send(groupId, 'Hello');
    await two.hears('messageSent');
    const isOnline = async () => (await here.gateway.online([bob])).has(bob);
    await until(isOnline, 'Bob’s node to report him again');
    const { look } = here.gateway.whereabouts;
    await expect(look([bob])).rejects.toThrow('not all nodes have reported');
    await until(
      async () => (await look([bob]).catch(() => undefined))?.isOnline(bob) ?? false,
      'the registry to be complete again',
      15_000,
    );
  });
});

describe('A node that is cut off from Redis', () => {
  let stage: ClusterStage;
  let proxy: TcpProxy;
  let here: World;
  let cutOff: World;
  beforeEach(async () => {
    stage = await openClusterStage();
    proxy = await startTcpProxy({ to: Number(new URL(stage.redis.url).port) });
    const settings = { headsIntervalMs: HEADS_MS };
    const redisUrl = `redis://127.0.0.1:${proxy.port}`;
    [here, cutOff] = [await stage.node({ settings }), await stage.node({ settings, redisUrl })];
    await stage.broadcaster();
  });
  afterEach(async () => {
    await stage.close();
    await proxy.close();
  });

  test('announces by heads what its sockets missed', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await here.group(alice, bob);
    const [one, two] = [await here.client(alice), await cutOff.client(bob)];
    await one.send(groupId, '1');
    await two.hears('messageSent');
    proxy.blackHole();
    await one.send(groupId, '2');
    await one.hears('messageSent', ({ seq }) => seq === 2);
    await complete(two, groupId, 2);
    expect(two.all('messageSent').map(({ seq }) => seq)).toEqual([1]);
  });

  test('compares its rooms with the log when it reconnects, even in quiet groups', async () => {
    const [alice, bob, carol] = [newUser(), newUser(), newUser()];
    const groupId = await here.group(alice, bob);
    const [one, two, three] = [
      await here.client(alice),
      await cutOff.client(bob),
      await cutOff.client(carol),
    ] as const;
    proxy.blackHole();
    await here.remove(groupId, bob);
    await here.join(groupId, carol);
    await one.hears('memberJoined', ({ data }) => data.userId === carol);
    proxy.cut();
    proxy.heal();
    expect(await three.hears('joinRoom')).toEqual({
      groupId,
      headSeq: 0,
      rosterHead: 4,
      epoch: EPOCH,
      kind: 'job',
    });
    expect(await two.hears('leaveRoom')).toEqual({ groupId, reason: 'removed' });
  });
});
