import { type TestClient, type World, createWorld, newUser } from '../support/stages/sockets.ts';
import { until } from '../../tools/until.ts';

describe('receipts and typing', () => {
  let world: World;
  beforeEach(async () => (world = await createWorld()));
  afterEach(() => world.stop());

  /** Opens a group whose members have `sockets` sockets each. */
  async function room(members: number, sockets: number) {
    const users = Array.from({ length: members }, newUser);
    const groupId = await world.group(users[0]!, ...users.slice(1));
    const clients: TestClient[][] = [];
    for (const user of users)
      clients.push(await Promise.all(Array.from({ length: sockets }, () => world.client(user))));
    return { users, groupId, clients };
  }

  test('reach every other socket of a small room at once, but not the sender', async () => {
    const { users, groupId, clients } = await room(2, 2);
    const [[phone, laptop], [other]] = clients as [[TestClient, TestClient], [TestClient]];
    await other.send(groupId, 'Read me');
    await phone.asks('markRead', { groupId, seq: 1 });
    await phone.asks('typing', { groupId, isTyping: true });
    for (const client of [laptop, other]) {
      expect(await client.hears('messagesRead')).toEqual({ groupId, userId: users[0], seq: 1 });
      await client.hears('typing');
    }
    await phone.asks('markRead', { groupId, seq: 1 });
    expect([phone.all('messagesRead'), phone.all('typing')]).toEqual([[], []]);
  });

  test('of 25 readers with 10 sockets each stay within 2,000 frames a second, and the latest of each reader arrives', async () => {
    const { users, groupId, clients } = await room(25, 10);
    await clients[0]![0]!.send(groupId, 'First');
    await clients[0]![0]!.send(groupId, 'Second');
    await until(
      () => clients.flat().every((client) => client.all('messageSent').length === 2),
      'the messages',
    );
    const before = world.metered.delivered;
    const startedAt = performance.now();
    for (const seq of [1, 2])
      await Promise.all(clients.map(([reader]) => reader!.asks('markRead', { groupId, seq })));
    const [first, second] = clients[7]! as [TestClient, TestClient];
    await second.hears('messagesRead', ({ userId, seq }) => userId === users[7] && seq === 2);
    const witness = clients[3]![9]!;
    const latest = () =>
      new Set(witness.all('messagesRead').flatMap(({ userId, seq }) => (seq === 2 ? [userId] : [])));
    await until(() => latest().size === 25, 'the last receipt of each reader');
    const seconds = (performance.now() - startedAt) / 1_000;
    // Besides 2,000 a second: a burst of one second, one hint, and the frames to the readers' own sockets, which also
    // hear what is left to read.
    const own = 2 * 25 * (9 + 10);
    expect(world.metered.delivered - before).toBeLessThan(2_000 * (seconds + 1) + 250 + own);
    expect(first.all('messagesRead').some(({ userId }) => userId === users[7])).toBe(false);
  });

  test('reach a large room only as often as the budget allows', async () => {
    const { groupId, clients } = await room(15, 15);
    const before = world.metered.delivered;
    for (let times = 0; times < 5; times += 1)
      await Promise.all(clients.map(([writer]) => writer!.asks('typing', { groupId, isTyping: true })));
    await clients[0]![0]!.send(groupId, 'Still here');
    await clients[14]![14]!.hears('messageSent');
    const hints = clients[14]![14]!.all('typing').length;
    expect(hints).toBeGreaterThan(0);
    expect(hints).toBeLessThan(75);
    expect(world.metered.delivered - before).toBeLessThan(75 * 224);
  });
});
