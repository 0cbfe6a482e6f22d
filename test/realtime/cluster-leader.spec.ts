import { type ClusterStage, openClusterStage } from '../support/stages/cluster-stage.ts';
import type { GroupId, UserId } from '../../src/events/ids.ts';
import { hasSockets } from '../../src/realtime/presence/online-registry.ts';
import { type World, newUser } from '../support/stages/sockets.ts';
import { until } from '../../tools/until.ts';

const PING_MS = 100;

describe('The broadcaster of a cluster', () => {
  let stage: ClusterStage;
  let here: World;
  beforeEach(async () => {
    stage = await openClusterStage();
    here = await stage.node({ settings: { pingIntervalMs: PING_MS } });
  });
  afterEach(() => stage.close());

  async function alone() {
    const alice = newUser();
    const groupId = await here.group(alice);
    return { alice, groupId, one: await here.client(alice) };
  }
  const seqs = (client: Awaited<ReturnType<World['client']>>) => [
    ...new Set(client.all('messageSent').map(({ seq }) => seq)),
  ];

  /** Whether a node is subscribed to a group; false while Redis is unreachable. */
  const isHeard = (groupId: GroupId) => () =>
    stage.redis.ask('PUBSUB', 'SHARDCHANNELS').then(
      (channels) => (channels as string[]).some((name) => name.includes(groupId)),
      () => false,
    );

  test('starts at the head of the log when there is no checkpoint', async () => {
    const { groupId, one } = await alone();
    await one.send(groupId, 'Nobody tells');
    const leader = await stage.broadcaster();
    const head = await here.store.head();
    await until(async () => (await leader.savedAt()) === head, 'the checkpoint');
    await one.send(groupId, 'Told');
    await one.hears('messageSent');
    expect(seqs(one)).toEqual([2]);
  });

  test('resumes at the checkpoint of a leader that died and skips nothing', async () => {
    const { groupId, one } = await alone();
    const first = await stage.broadcaster();
    await one.send(groupId, '1');
    await one.hears('messageSent');
    await until(async () => (await first.savedAt()) === (await here.store.head()), 'the checkpoint');
    await one.send(groupId, '2');
    await first.die();
    await one.send(groupId, '3');
    await stage.broadcaster();
    await one.hears('messageSent', ({ seq }) => seq === 3);
    expect(seqs(one)).toEqual([1, 2, 3]);
  });

  test('repeats what other nodes did not receive', async () => {
    const { groupId, one } = await alone();
    let ready: Promise<void> | undefined;
    const leader = await stage.broadcaster((push) => ({
      ...push,
      async prepare(events) {
        await ready;
        await push.prepare(events);
      },
    }));
    await one.send(groupId, '1');
    await one.hears('messageSent');
    await stage.redis.kill();
    await one.send(groupId, '2');
    await until(() => leader.failure() !== undefined, 'the leader to notice');
    expect(leader.position()).toBeLessThan(await here.store.head());
    // Redis stores nothing: a node that reconnects after the leader would miss it.
    ready = until(isHeard(groupId), 'the node to subscribe to the group again');
    await stage.redis.restart();
    await one.hears('messageSent', ({ seq }) => seq === 2);
    await until(() => leader.failure() === undefined, 'the leader to recover');
  });

  test('skips events older than 30 s but still moves members between rooms', async () => {
    const { alice, groupId, one } = await alone();
    const bob = newUser();
    const two = await here.client(bob);
    const first = await stage.broadcaster();
    await until(async () => (await first.savedAt()) === (await here.store.head()), 'the checkpoint');
    await first.die();
    const { append } = here.store;
    const minutesAgo = new Date(Date.now() - 31_000).toISOString();
    here.store.append = (what) => append({ ...what, occurredAt: minutesAgo });
    await one.send(groupId, 'Old');
    await here.join(groupId, bob);
    here.store.append = append;
    await one.send(groupId, 'New');
    await stage.broadcaster();
    await two.hears('joinRoom');
    await one.hears('messageSent', ({ seq }) => seq === 2);
    expect(seqs(one)).toEqual([2]);
    expect(one.all('memberJoined')).toEqual([]);
    expect((await here.gateway.online([alice])).has(alice)).toBe(true);
  });

  /** The presence of a user on all nodes, as the notifier's process sees it. */
  async function attendance(userId: UserId) {
    const registry = await stage.registry();
    const told = async () => (await registry.elsewhere([userId])).get(userId) ?? [];
    return {
      isOnline: async () => (await told()).some(hasSockets),
      received: async (at: number) =>
        (await told()).some(({ received }) =>
          received.some(({ from, until: to }) => from <= at && at <= to - 1_000),
        ),
    };
  }

  test('remembers what was received on a node that stops, so that no mail is sent for it', async () => {
    const { alice, groupId, one } = await alone();
    const { isOnline, received } = await attendance(alice);
    await stage.broadcaster();
    await one.send(groupId, 'Told');
    const told = Date.now();
    await until(() => received(told), 'the message to be received');
    expect(await isOnline()).toBe(true);
    await here.stop();
    expect(await isOnline()).toBe(false);
    expect(await received(told)).toBe(true);
  });

  test('counts nothing as received that it has not broadcast, however many pings are answered', async () => {
    const { alice, groupId, one } = await alone();
    const { received } = await attendance(alice);
    const first = await stage.broadcaster();
    await one.send(groupId, 'Told');
    const told = Date.now();
    await until(() => received(told), 'the first to be received');
    await first.die();
    await one.send(groupId, 'Not told');
    const notTold = Date.now();
    let pings = 0;
    one.socket.io.on('ping', () => (pings += 1));
    await until(() => pings > 20 && Date.now() > notTold + 3_000, 'many pings');
    expect(await received(told)).toBe(true);
    expect(await received(notTold)).toBe(false);
    await stage.broadcaster();
    await one.hears('messageSent', ({ seq }) => seq === 2);
    await until(() => received(notTold), 'the second to be received');
  });
});
