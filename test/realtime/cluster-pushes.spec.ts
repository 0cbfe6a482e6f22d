import { randomUUID } from 'node:crypto';
import { FileId, type MessageId, type UserId } from '../../src/events/ids.ts';
import { conversationStream, fileStream } from '../../src/events/streams.ts';
import { type ClusterStage, openClusterStage } from '../support/stages/cluster-stage.ts';
import { cleared, event } from '../support/language/example-events.ts';
import { type World, newUser } from '../support/stages/sockets.ts';
import { EPOCH } from '../support/stages/positions.ts';
import { until } from '../../tools/until.ts';

describe('Two nodes', () => {
  let stage: ClusterStage;
  let here: World;
  let there: World;
  let leader: Awaited<ReturnType<ClusterStage['broadcaster']>>;
  beforeAll(async () => {
    stage = await openClusterStage();
    [here, there] = [await stage.node(), await stage.node()];
    leader = await stage.broadcaster();
  });
  afterAll(() => stage.close());

  /** Alice on one node, Bob on the other, in one group. */
  async function pair() {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await here.group(alice, bob);
    const head = await here.store.head();
    await until(() => leader.position() === head, 'the broadcaster to announce the group');
    return { alice, bob, groupId, one: await here.client(alice), two: await there.client(bob) };
  }

  test('deliver every message to every member once, in one order', async () => {
    const { groupId, one, two } = await pair();
    for (let n = 0; n < 20; n += 1)
      await Promise.all([one.send(groupId, `from here ${n}`), two.send(groupId, `from there ${n}`)]);
    for (const client of [one, two]) {
      await client.hears('messageSent', ({ seq }) => seq === 40);
      expect(client.all('messageSent').map(({ seq }) => seq)).toEqual(
        Array.from({ length: 40 }, (_, index) => index + 1),
      );
    }
  });

  test('deliver typing and read markers to the other members', async () => {
    const { alice, bob, groupId, one, two } = await pair();
    await one.send(groupId, 'Read me');
    await one.asks('typing', { groupId, isTyping: true });
    expect(await two.hears('typing')).toEqual({ groupId, userId: alice, isTyping: true });
    await two.asks('markRead', { groupId, seq: 1 });
    expect(await one.hears('messagesRead')).toEqual({ groupId, userId: bob, seq: 1 });
    expect(one.all('typing')).toEqual([]);
  });

  test('tell a user on every node what is left to read, once', async () => {
    const { bob, groupId, one, two } = await pair();
    const other = await here.client(bob);
    const { messageId } = await one.send(groupId, 'Read me');
    await one.send(groupId, 'And me');
    await two.asks('markRead', { groupId, seq: 1 });
    const read = { groupId, unreadCount: 1, readSeq: 1, headSeq: 2, total: 1 };
    for (const client of [two, other]) expect(await client.hears('unreadChanged')).toEqual(read);
    const unread = await one.send(groupId, 'Oops');
    for (const id of [messageId, unread.messageId])
      await one.asks('deleteMessage', { groupId, messageId: id });
    for (const client of [two, other]) {
      await client.hears('unreadChanged', ({ headSeq }) => headSeq === 5);
      expect(client.all('unreadChanged').at(-1)).toMatchObject({ unreadCount: 1, total: 1 });
    }
  });

  test('report the status of a file to its uploader on every node', async () => {
    const { alice, bob, groupId, one } = await pair();
    const other = await there.client(alice);
    const fileId = FileId.parse(randomUUID());
    const data = { ...cleared.data, fileId, groupId, uploaderId: alice };
    await here.record(fileStream(fileId), event('FileCleared', data));
    for (const client of [one, other])
      expect(await client.hears('fileStatusChanged')).toEqual({ fileId, groupId, status: 'clean' });
    expect((await there.client(bob)).all('fileStatusChanged')).toEqual([]);
  });

  test('report the status of a file that a message names to the members on every node, and not to removed ones', async () => {
    const { alice, bob, groupId, two } = await pair();
    const carol = newUser();
    await here.join(groupId, carol);
    const three = await there.client(carol);
    const fileId = FileId.parse(randomUUID());
    const file = { fileId, groupId, uploaderId: alice };
    const message = { groupId, senderId: alice, text: 'See', replyTo: null, fileIds: [fileId] };
    const ids = { messageId: randomUUID() as MessageId, clientMsgId: randomUUID() as never };
    await here.record(conversationStream(groupId), event('MessageSent', { ...message, ...ids }));
    await here.remove(groupId, bob);
    await here.record(fileStream(fileId), event('FileCleared', { ...cleared.data, ...file }));
    expect(await three.hears('fileStatusChanged')).toEqual({ fileId, groupId, status: 'clean' });
    await two.hears('leaveRoom');
    expect(two.all('fileStatusChanged')).toEqual([]);
  });

  test("put an applicant on one node into the group's room on another, with its head", async () => {
    const { groupId, one } = await pair();
    await one.send(groupId, 'Before');
    const carol = newUser();
    const three = await there.client(carol);
    await here.join(groupId, carol);
    expect(await three.hears('joinRoom')).toEqual({
      groupId,
      headSeq: 1,
      rosterHead: 3,
      epoch: EPOCH,
      kind: 'job',
    });
    await one.hears('memberJoined', ({ data }) => data.userId === carol);
    await one.send(groupId, 'After');
    await three.hears('messageSent', ({ seq }) => seq === 2);
    expect(three.all('joinRoom')).toHaveLength(1);
  });

  test('send a member that leaves or is removed the reason, and nothing afterwards', async () => {
    const { bob, groupId, one, two } = await pair();
    const carol = newUser();
    await here.join(groupId, carol);
    const three = await there.client(carol);
    await here.record(`chatGroup-${groupId}`, { type: 'MemberLeft', data: { groupId, userId: carol } });
    expect(await three.hears('leaveRoom')).toEqual({ groupId, reason: 'left' });
    await here.remove(groupId, bob);
    await one.send(groupId, 'Alone');
    expect(await two.hears('leaveRoom')).toEqual({ groupId, reason: 'removed' });
    await one.hears('messageSent');
    expect([...two.all('messageSent'), ...three.all('messageSent')]).toEqual([]);
    expect(one.heard.map(({ name }) => name).filter((name) => name.startsWith('member'))).toEqual([
      'memberJoined',
      'memberLeft',
      'memberRemoved',
    ]);
  });

  test('announce no arrival or departure of a user who has a socket on the other node', async () => {
    const { bob, one, two } = await pair();
    expect(await one.hears('presence')).toEqual({ userId: bob, online: true });
    const third = await here.client(bob);
    two.socket.disconnect();
    const isThere = async (userId: UserId) => (await there.gateway.online([userId])).has(userId);
    const goneAt = Date.now();
    await until(() => Date.now() > goneAt + 1_500, 'the end of the reconnect window');
    expect(one.all('presence')).toEqual([{ userId: bob, online: true }]);
    expect(await isThere(bob)).toBe(true);
    third.socket.disconnect();
    await one.hears('presence', ({ online }) => !online);
    await until(async () => !(await isThere(bob)), 'the user to be offline');
    expect(one.all('presence')).toEqual([
      { userId: bob, online: true },
      { userId: bob, online: false },
    ]);
  });

  test('deliver a message that is sent between the answer of the read model and the joining of the room', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await here.group(alice, bob);
    const one = await here.client(alice);
    let sent: Promise<unknown> | undefined;
    const slow = await stage.node({
      bus: (bus) => ({
        ...bus,
        async subscribed() {
          // Before this node is certainly subscribed to the room.
          sent ??= one.send(groupId, 'In between');
          await sent;
          await bus.subscribed();
        },
      }),
    });
    const two = await slow.client(bob);
    const heads = two.all('joinRoom').map(({ headSeq }) => headSeq);
    expect(heads).toEqual([1]);
  });
});

test('A user can open 20 sockets at once across all nodes, and no more', async () => {
  const stage = await openClusterStage();
  try {
    const nodes = [await stage.node(), await stage.node()];
    const opened = async (userId: UserId, count: number) => {
      const codes = await Promise.all(
        Array.from({ length: count }, (_, index) => {
          const node = nodes[index % 2]!;
          const { any } = node.connect({ token: node.token(userId) });
          return new Promise<string>((resolve) => {
            any.once('connect', () => resolve('open'));
            any.once('connect_error', (error) => resolve(Object(error).data.code));
          });
        }),
      );
      return codes.filter((code) => code === 'open').length;
    };
    for (let round = 0; round < 5; round += 1) {
      const alice = newUser();
      expect(await opened(alice, 20)).toBe(20);
      expect(await opened(alice, 4)).toBe(0);
      expect(await opened(newUser(), 26)).toBeLessThanOrEqual(20);
    }
  } finally {
    await stage.close();
  }
});

test('A user is refused a 21st socket across all nodes', async () => {
  const stage = await openClusterStage();
  try {
    const [here, there] = [await stage.node(), await stage.node()];
    const alice = newUser();
    const clients = [];
    for (let n = 0; n < 20; n += 1) clients.push(await (n % 2 ? here : there).client(alice));
    const tooMany = here.connect({ token: here.token(alice) });
    const refusal = await new Promise<Error & { data?: { code: string } }>((resolve) =>
      tooMany.socket.once('connect_error', resolve),
    );
    expect(refusal.data?.code).toBe('TOO_MANY_SOCKETS');
    clients[0]!.socket.disconnect();
    await until(async () => {
      const again = here.connect({ token: here.token(alice) });
      return new Promise((resolve) => {
        again.socket.once('connect', () => resolve(true));
        again.socket.once('connect_error', () => resolve(false));
      });
    }, 'room for another socket');
  } finally {
    await stage.close();
  }
});
