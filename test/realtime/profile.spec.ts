import pino from 'pino';
import type { GroupId, UserId } from '../../src/events/ids.ts';
import { accountStream } from '../../src/events/streams.ts';
import { tellProfiles } from '../../src/realtime/presence/profile.ts';
import { groupRoom } from '../../src/realtime/rooms/rooms.ts';
import { event } from '../support/language/example-events.ts';
import { type ClusterStage, openClusterStage } from '../support/stages/cluster-stage.ts';
import { type World, createWorld, newUser } from '../support/stages/sockets.ts';
import { until } from '../../tools/until.ts';

const rename = (world: World, userId: UserId, displayName: string) =>
  world.record(accountStream(userId), event('ProfileChanged', { userId, displayName }));

describe('profileChanged', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world.stop());

  test('tells everybody who shares a group with the person its new name, once, and nobody else', async () => {
    const [ada, bob, eve] = [newUser(), newUser(), newUser()];
    await world.group(ada, bob);
    await world.group(bob, ada);
    await world.group(eve);
    const [one, two, stranger] = [
      await world.client(ada),
      await world.client(bob),
      await world.client(eve),
    ] as const;
    await rename(world, ada, 'Ada Lovelace');
    const news = { userId: ada, displayName: 'Ada Lovelace' };
    for (const client of [one, two]) expect(await client.hears('profileChanged')).toEqual(news);
    await rename(world, eve, 'Eve');
    await stranger.hears('profileChanged');
    expect(stranger.all('profileChanged')).toEqual([{ userId: eve, displayName: 'Eve' }]);
    for (const client of [one, two]) expect(client.all('profileChanged')).toEqual([news]);
  });

  test('reaches the sockets of a person without groups', async () => {
    const ada = newUser();
    const client = await world.client(ada);
    await rename(world, ada, 'Ada');
    expect(await client.hears('profileChanged')).toEqual({ userId: ada, displayName: 'Ada' });
  });

  test('does not reach those who were removed from the group, nor the groups that the person has left', async () => {
    const [ada, bob] = [newUser(), newUser()];
    const groupId = await world.group(bob, ada);
    const [one, two] = [await world.client(ada), await world.client(bob)];
    await world.remove(groupId, ada);
    await rename(world, bob, 'Bob');
    await two.hears('profileChanged');
    await rename(world, ada, 'Ada');
    await one.hears('profileChanged');
    expect(one.all('profileChanged')).toEqual([{ userId: ada, displayName: 'Ada' }]);
    expect(two.all('profileChanged')).toEqual([{ userId: bob, displayName: 'Bob' }]);
  });

  test('tells the name that is shown of somebody who was erased', async () => {
    const [ada, bob] = [newUser(), newUser()];
    await world.group(bob, ada);
    const client = await world.client(bob);
    await rename(world, ada, 'Ada');
    const erasureId = newUser() as never;
    await world.record(accountStream(ada), event('AccountErased', { userId: ada, erasureId } as never));
    await client.hears('profileChanged', ({ displayName }) => displayName === '[erased]');
    expect(client.all('profileChanged').at(-1)).toEqual({ userId: ada, displayName: '[erased]' });
  });

  test('is written in pieces, and not to sockets that have left the room meanwhile', async () => {
    const [ada, groups] = [newUser(), [newUser(), newUser()] as unknown as GroupId[]];
    const ids = Array.from({ length: 250 }, (_, n) => `socket ${n}`);
    const rooms = new Map(groups.map((groupId) => [groupRoom(groupId), new Set(ids)]));
    const pieces: string[][] = [];
    const renamed = tellProfiles({
      io: { of: () => ({ adapter: { rooms, sids: new Map([['any', new Set()]]) } }) } as never,
      queries: { profileOf: async () => ({ displayName: 'Ada', groupIds: groups }) },
      progress: { reached: async () => true },
      write(_packet, target) {
        pieces.push([...target.rooms]);
        for (const room of rooms.values()) room.delete('socket 249');
        return target.rooms.size;
      },
      signal: new AbortController().signal,
      log: pino({ level: 'silent' }),
    });
    renamed({ userId: ada, position: 1 });
    await until(() => pieces.length === 3, 'all pieces');
    expect(pieces.map((piece) => piece.length)).toEqual([100, 100, 49]);
    expect(pieces.flat()).toEqual(ids.slice(0, 249));
  });
});

describe('profileChanged in a cluster', () => {
  let stage: ClusterStage;
  beforeAll(async () => {
    stage = await openClusterStage();
  });
  afterAll(() => stage.close());

  test('reaches the sockets of every node once', async () => {
    const [here, there] = [await stage.node(), await stage.node()];
    await stage.broadcaster();
    const [ada, bob] = [newUser(), newUser()];
    await here.group(ada, bob);
    const clients = [await here.client(ada), await here.client(bob), await there.client(bob)];
    await rename(here, ada, 'Ada');
    for (const client of clients)
      expect(await client.hears('profileChanged')).toEqual({ userId: ada, displayName: 'Ada' });
    await rename(there, bob, 'Bob');
    for (const client of clients) {
      await client.hears('profileChanged', ({ userId }) => userId === bob);
      expect(client.all('profileChanged')).toHaveLength(2);
    }
  });
});
