import type { UserId } from '../../src/events/ids.ts';
import { type TestClient, type World, createWorld, newUser } from '../support/stages/sockets.ts';
import { until } from '../../tools/until.ts';

describe('presence of members who connect and disconnect constantly', () => {
  let world: World;
  beforeEach(async () => (world = await createWorld({ settings: { headsIntervalMs: 600_000 } })));
  afterEach(() => world.stop());

  const clientsOf = (userId: UserId, sockets: number) =>
    Promise.all(Array.from({ length: sockets }, () => world.client(userId)));

  /**
   * Opens a group of the members and of `users` users with 18 open sockets each; resolves with those sockets.
   */
  async function room(users: number, members: readonly UserId[]): Promise<TestClient[]> {
    const bystanders = Array.from({ length: users }, newUser);
    await world.group(bystanders[0]!, ...bystanders.slice(1), ...members);
    return (await Promise.all(bystanders.map((userId) => clientsOf(userId, 18)))).flat();
  }

  /** The users that a client would show as online now. */
  function shown(client: TestClient): Set<string> {
    const online = new Set<string>();
    for (const { userId, online: isThere } of client.all('presence'))
      if (isThere) online.add(userId);
      else online.delete(userId);
    return online;
  }

  /**
   * Connects and disconnects each user `times` times, as fast as possible. Counts the frames from the
   * beginning.
   */
  async function flap(users: readonly UserId[], times: number) {
    const before = world.metered.delivered;
    const startedAt = performance.now();
    for (let time = 0; time < times; time += 1) {
      const clients = await Promise.all(users.map((userId) => world.client(userId)));
      for (const { socket } of clients) socket.disconnect();
      await until(async () => (await world.gateway.online(users)).size === 0, 'the users to be offline');
    }
    return {
      frames: () => world.metered.delivered - before,
      /** The frames allowed until now: 2,000 a second plus a burst of one second. */
      budget: () => 2_000 * ((performance.now() - startedAt) / 1_000 + 1),
    };
  }

  test('takes 2,000 frames a second in a room of 200, and the last state of each member arrives', async () => {
    const members = Array.from({ length: 56 }, newUser);
    const [witness] = (await room(8, members)) as [TestClient];
    const { frames, budget } = await flap(members, 3);
    expect(frames()).toBeLessThan(budget() + 200);
    const [still, ...others] = members;
    await world.client(still!);
    await until(() => {
      const online = shown(witness);
      return online.has(still!) && others.every((userId) => !online.has(userId));
    }, 'the last state of each');
    expect(frames()).toBeLessThan(budget() + 200);
    expect(
      others.filter((userId) => !witness.all('presence').some((told) => told.userId === userId)),
    ).toEqual([]);
  });

  test('is not always shown in a room of more than 200, but the departure of a shown member is', async () => {
    const members = Array.from({ length: 40 }, newUser);
    const [witness] = (await room(12, members)) as [TestClient];
    const first = await world.client(members[0]!);
    await witness.hears('presence', ({ userId }) => userId === members[0]);
    first.socket.disconnect();
    const { frames, budget } = await flap(members, 3);
    await until(() => members.every((userId) => !shown(witness).has(userId)), 'no user to be shown');
    expect(frames()).toBeLessThan(budget() + 256);
    const arrivals = witness.all('presence').filter(({ userId, online }) => online && userId !== members[0]);
    expect(arrivals.length).toBeLessThan(3 * 39);
  });

  test('takes 2,000 frames a second across all groups of a user', async () => {
    const [recruiter, ...members] = Array.from({ length: 101 }, newUser);
    const clients: TestClient[] = [];
    for (const member of members) {
      await world.group(recruiter!, member);
      clients.push(...(await clientsOf(member, 19)));
    }
    const { frames, budget } = await flap([recruiter!], 5);
    expect(frames()).toBeLessThan(budget() + clients.length);
    await until(() => clients.every((client) => shown(client).size === 0), 'the last state');
    expect(clients.filter((client) => client.all('presence').length === 0)).toEqual([]);
    expect(frames()).toBeLessThan(budget() + clients.length);
  });
});
