import type { UserId } from '../../src/events/ids.ts';
import { type World, createWorld, newUser } from '../support/stages/sockets.ts';
import { until } from '../../tools/until.ts';

describe('ephemeral events', () => {
  let world: World;
  const isOnline = async (userId: UserId) => (await world.gateway.online([userId])).has(userId);
  const hasSocket = async (userId: UserId) =>
    (await world.gateway.whereabouts.look([userId])).isOnline(userId);
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world.stop());

  test('deliver typing to the other members, and drop most of a flood', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const [one, two] = [await world.client(alice), await world.client(bob)];
    expect(await one.asks('typing', { groupId, isTyping: true })).toEqual({ ok: true });
    expect(await two.hears('typing')).toEqual({ groupId, userId: alice, isTyping: true });
    await Promise.all(Array.from({ length: 100 }, () => one.asks('typing', { groupId, isTyping: false })));
    await two.hears('typing', ({ isTyping }) => !isTyping);
    expect(two.all('typing').length).toBeLessThan(20);
    expect(one.all('typing')).toEqual([]);
  });

  test('announce a moved read marker to the group, but not a repeated one', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const [one, two] = [await world.client(alice), await world.client(bob)];
    await one.send(groupId, 'Read me');
    for (let times = 0; times < 2; times += 1)
      expect(await two.asks('markRead', { groupId, seq: 1 })).toEqual({ ok: true, unreadCount: 0 });
    world.gateway.announceRead({ groupId, userId: bob, seq: 9 });
    await one.hears('messagesRead', ({ seq }) => seq === 9);
    expect(one.all('messagesRead')).toEqual([
      { groupId, userId: bob, seq: 1 },
      { groupId, userId: bob, seq: 9 },
    ]);
  });

  test('announce the first socket of a member and the end of the last, but not a quick reconnect', async () => {
    const [alice, bob] = [newUser(), newUser()];
    await world.group(alice, bob);
    const one = await world.client(alice);
    const first = await world.client(bob);
    expect(await one.hears('presence')).toEqual({ userId: bob, online: true });
    expect([await isOnline(bob), await hasSocket(bob)]).toEqual([true, true]);
    first.socket.disconnect();
    const second = await world.client(bob);
    const third = await world.client(bob);
    second.socket.disconnect();
    third.socket.disconnect();
    await until(async () => !(await hasSocket(bob)), 'the last socket to be gone');
    expect(await isOnline(bob)).toBe(true);
    await one.hears('presence', ({ online }) => !online);
    await until(async () => !(await isOnline(bob)), 'the user to be offline');
    expect(one.all('presence')).toEqual([
      { userId: bob, online: true },
      { userId: bob, online: false },
    ]);
    expect(first.all('presence').filter(({ userId }) => userId === bob)).toEqual([]);
  });

  test('announce a user once to a socket that shares several groups with it', async () => {
    const [alice, bob] = [newUser(), newUser()];
    for (let groups = 0; groups < 3; groups += 1) await world.group(alice, bob);
    const groupId = await world.group(alice, bob);
    const one = await world.client(alice);
    const two = await world.client(bob);
    await two.send(groupId, 'Here');
    await one.hears('messageSent');
    expect(one.all('presence')).toEqual([{ userId: bob, online: true }]);
  });
});
