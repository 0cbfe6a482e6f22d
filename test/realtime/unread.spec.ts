import { GroupId } from '../../src/events/ids.ts';
import type { Unread } from '../../src/queries/unread.ts';
import { type World, createWorld, newUser } from '../support/stages/sockets.ts';
import { until } from '../../tools/until.ts';

describe('unreadChanged', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world.stop());

  test('tells all sockets of a user what is left when its read marker moves, and nobody else', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const [groupId, other] = [await world.group(alice, bob), await world.group(alice, bob)];
    const [sender, one, two] = [await world.client(alice), await world.client(bob), await world.client(bob)];
    for (const text of ['1', '2', '3']) await sender.send(groupId, text);
    await sender.send(other, 'elsewhere');
    await one.asks('markRead', { groupId, seq: 2 });
    for (const client of [one, two]) {
      expect(await client.hears('unreadChanged')).toEqual({
        groupId,
        unreadCount: 1,
        readSeq: 2,
        headSeq: 3,
        total: 2,
      });
    }
    await sender.hears('messagesRead');
    expect(sender.all('unreadChanged')).toEqual([]);
  });

  test('follows a marker that was moved over REST, and says nothing of one that stays', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const [sender, reader] = [await world.client(alice), await world.client(bob)];
    await sender.send(groupId, 'Hello');
    await reader.asks('markRead', { groupId, seq: 1 });
    await reader.hears('unreadChanged', ({ readSeq }) => readSeq === 1);
    await reader.asks('markRead', { groupId, seq: 1 });
    world.gateway.announceRead({ groupId, userId: bob, seq: 1 });
    await until(() => reader.all('unreadChanged').length === 2, 'the second one');
    expect(reader.all('unreadChanged').map(({ total }) => total)).toEqual([0, 0]);
  });

  test('is not sent for a new message, which clients count', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const [sender, reader] = [await world.client(alice), await world.client(bob)];
    await sender.send(groupId, 'Hello');
    await sender.send(groupId, 'Hello again');
    await reader.hears('messageSent', ({ seq }) => seq === 2);
    await reader.asks('markRead', { groupId, seq: 1 });
    await reader.hears('unreadChanged');
    expect(reader.all('unreadChanged')).toHaveLength(1);
  });

  test('tells those who had not read a message that it was deleted', async () => {
    const [alice, bob, carol] = [newUser(), newUser(), newUser()];
    const groupId = await world.group(alice, bob, carol);
    const [sender, behind, ahead] = [
      await world.client(alice),
      await world.client(bob),
      await world.client(carol),
    ] as const;
    const { messageId } = await sender.send(groupId, 'Oops');
    await sender.send(groupId, 'Better');
    await ahead.asks('markRead', { groupId, seq: 1 });
    await ahead.hears('unreadChanged');
    await sender.asks('deleteMessage', { groupId, messageId });
    expect(await behind.hears('unreadChanged')).toEqual({
      groupId,
      unreadCount: 1,
      readSeq: 0,
      headSeq: 3,
      total: 1,
    });
    await ahead.hears('messageDeleted');
    expect(ahead.all('unreadChanged')).toHaveLength(1);
    expect(sender.all('unreadChanged')).toEqual([]);
  });

  test('has no total for the users of a larger room when a message is deleted', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const sender = await world.client(alice);
    const others = await Promise.all(Array.from({ length: 20 }, () => world.client(bob)));
    const { messageId } = await sender.send(groupId, 'Oops');
    await sender.asks('deleteMessage', { groupId, messageId });
    const told = await others[0]!.hears('unreadChanged');
    expect(told).toEqual({ groupId, unreadCount: 0, readSeq: 0, headSeq: 2 });
  });

  test('looks once for all changes of a user that come while it looks', async () => {
    const held = Promise.withResolvers<void>();
    const asked: (readonly string[])[] = [];
    await world.stop();
    world = await createWorld({
      queries: {
        async unreadOf({ groupIds }): Promise<Unread[]> {
          asked.push(groupIds);
          if (asked.length === 1) await held.promise;
          return groupIds.map((groupId) => ({ groupId, unreadCount: 0, readSeq: 1, headSeq: 1 }));
        },
      },
    });
    const bob = newUser();
    const groups = await Promise.all(Array.from({ length: 30 }, () => world.group(bob)));
    const client = await world.client(bob);
    const read = (groupId: string) =>
      world.gateway.announceRead({ groupId: GroupId.parse(groupId), userId: bob, seq: 1 });
    read(groups[0]!);
    await until(() => asked.length === 1, 'the first look');
    for (const groupId of [...groups, ...groups]) read(groupId);
    held.resolve();
    await client.hears('unreadChanged', ({ groupId }) => groupId === groups.at(-1));
    expect(asked).toEqual([[groups[0]], groups.slice(-20)]);
  });

  test('is not worked out for users without sockets', async () => {
    const asked: string[] = [];
    await world.stop();
    world = await createWorld({
      queries: {
        unreadTotal: async (userId) => {
          asked.push(userId);
          return undefined;
        },
      },
    });
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const client = await world.client(alice);
    for (const userId of [bob, alice]) world.gateway.announceRead({ groupId, userId, seq: 1 });
    expect(await client.hears('unreadChanged')).not.toHaveProperty('total');
    expect(asked).toEqual([alice]);
  });

  test('goes on after the database did not answer', async () => {
    let failures = 1;
    await world.stop();
    world = await createWorld({
      queries: {
        async unreadTotal() {
          if (failures > 0) {
            failures -= 1;
            throw new Error('no answer');
          }
          return 7;
        },
      },
    });
    const alice = newUser();
    const groupId = await world.group(alice);
    const client = await world.client(alice);
    world.gateway.announceRead({ groupId, userId: alice, seq: 1 });
    await until(() => failures === 0, 'the failure');
    world.gateway.announceRead({ groupId, userId: alice, seq: 1 });
    expect(await client.hears('unreadChanged')).toMatchObject({ total: 7 });
  });
});
