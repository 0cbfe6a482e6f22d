import type { GroupId, UserId } from '../../src/events/ids.ts';
import { type ClusterStage, openClusterStage } from '../support/stages/cluster-stage.ts';
import { type TestClient, type World, newUser } from '../support/stages/sockets.ts';
import { until } from '../../tools/until.ts';

/** The sockets of each member on each node. */
const SOCKETS = 8;
const MEMBERS = 24;
/** The sockets of the room on each node. */
const SIZE = SOCKETS * MEMBERS;

describe('A room of 192 sockets on each of two nodes', () => {
  let stage: ClusterStage;
  let nodes: World[];
  let groupId: GroupId;
  const members = Array.from({ length: MEMBERS }, newUser);
  const passersBy = Array.from({ length: 40 }, newUser);
  /** By node, then by member. */
  let clients: TestClient[][][];

  beforeAll(async () => {
    stage = await openClusterStage();
    // Heads would count as frames.
    const settings = { headsIntervalMs: 600_000 };
    nodes = [await stage.node({ settings }), await stage.node({ settings })];
    const leader = await stage.broadcaster();
    groupId = await nodes[0]!.group(members[0]!, ...members.slice(1), ...passersBy);
    const head = await nodes[0]!.store.head();
    await until(() => leader.position() === head, 'the broadcaster to announce the group');
    clients = await Promise.all(
      nodes.map(async (node) => {
        const open: TestClient[][] = [];
        for (const member of members)
          open.push(await Promise.all(Array.from({ length: SOCKETS }, () => node.client(member))));
        return open;
      }),
    );
  });
  afterAll(() => stage.close());

  /** The last socket of the last member on each node. */
  const witnesses = () => clients.map((open) => open.at(-1)!.at(-1)!);
  /** One socket of each member, alternating between the nodes. */
  const speakers = () => members.map((_, index) => clients[index % 2]![index]![0]!);

  /**
   * Counts the frames that each node writes from now on. The budget is 2,000 frames a second plus a burst of
   * one second.
   */
  function meter() {
    const before = nodes.map(({ metered }) => metered.delivered);
    const startedAt = performance.now();
    return {
      expectWithinBudget(besides: number) {
        const budget = 2_000 * ((performance.now() - startedAt) / 1_000 + 1) + SIZE;
        for (const [index, { metered }] of nodes.entries())
          expect(metered.delivered - before[index]!).toBeLessThan(budget + besides);
      },
    };
  }

  test('limits receipts to 2,000 frames a second per node and delivers the last receipt of each reader to both', async () => {
    await speakers()[0]!.send(groupId, 'First');
    await speakers()[0]!.send(groupId, 'Second');
    const all = clients.flat(2);
    await until(() => all.every((client) => client.all('messageSent').length === 2), 'the messages');
    const metered = meter();
    for (const seq of [1, 2])
      await Promise.all(speakers().map((reader) => reader.asks('markRead', { groupId, seq })));
    for (const witness of witnesses()) {
      const last = () => witness.all('messagesRead').flatMap(({ userId, seq }) => (seq === 2 ? userId : []));
      await until(() => new Set(last()).size === MEMBERS, 'the last receipt of each reader');
    }
    metered.expectWithinBudget(2 * MEMBERS * SOCKETS);
  });

  test('limits typing to 2,000 frames a second per node', async () => {
    const metered = meter();
    for (let time = 0; time < 5; time += 1)
      await Promise.all(speakers().map((writer) => writer.asks('typing', { groupId, isTyping: true })));
    await speakers()[0]!.send(groupId, 'Still here');
    for (const witness of witnesses())
      await witness.hears('messageSent', ({ data }) => data.text === 'Still here');
    metered.expectWithinBudget(SIZE);
    for (const witness of witnesses()) expect(witness.all('typing')).not.toEqual([]);
  });

  test('limits presence to 2,000 frames a second per node and delivers the last state of each user to both', async () => {
    const metered = meter();
    const areAway = async (node: World) => (await node.gateway.online(passersBy)).size === 0;
    for (let time = 0; time < 3; time += 1) {
      const passing = await Promise.all(passersBy.map((user, index) => nodes[index % 2]!.client(user)));
      for (const { socket } of passing) socket.disconnect();
      for (const node of nodes) await until(() => areAway(node), 'all users to be offline');
    }
    metered.expectWithinBudget(0);
    await nodes[0]!.client(passersBy[0]!);
    await nodes[1]!.client(passersBy[1]!);
    for (const witness of witnesses()) {
      const last = new Map<UserId, boolean>();
      await until(() => {
        for (const { userId, online } of witness.all('presence')) last.set(userId as UserId, online);
        return passersBy.every((user, index) => last.get(user) === index < 2);
      }, 'the last state of each');
    }
    metered.expectWithinBudget(0);
  });
});
