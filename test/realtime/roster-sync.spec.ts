import type { DomainEvent } from '../../src/events/domain-event.ts';
import { GroupId, JobId, type UserId } from '../../src/events/ids.ts';
import { chatGroupStream } from '../../src/events/streams.ts';
import { newId } from '../../src/kit/uuids.ts';
import { serverEvents } from '../../src/realtime/connection/protocol.ts';
import { EPOCH } from '../support/stages/positions.ts';
import { type TestClient, type World, createWorld, newUser, whole } from '../support/stages/sockets.ts';

describe('the roster in sync', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld({ settings: { headsIntervalMs: 100 } });
  });
  afterEach(() => world.stop());

  const ask = async (client: TestClient, groupId: GroupId, afterRoster?: number | null) =>
    (await client.asks('sync', { groups: [{ groupId, afterSeq: 0, afterRoster }] })).groups[0]!;
  const changesAfter = async (client: TestClient, groupId: GroupId, afterRoster: number) =>
    whole(await ask(client, groupId, afterRoster));
  const record = (groupId: GroupId, ...events: DomainEvent[]) =>
    world.record(chatGroupStream(groupId), ...events);
  const assignment = (groupId: GroupId, assigneeId: UserId): DomainEvent => ({
    type: 'ThreadAssigned',
    data: { groupId, assigneeId },
  });

  test('has the changes that are pushed, as they are pushed, and no others', async () => {
    const [alice, bob, eve] = [newUser(), newUser(), newUser()];
    const groupId = await world.group(alice);
    const client = await world.client(alice);
    await world.join(groupId, bob);
    await record(groupId, assignment(groupId, eve));
    await record(groupId, { type: 'MemberLeft', data: { groupId, userId: bob } });
    await world.join(groupId, bob);
    await world.remove(groupId, bob);
    await record(groupId, { type: 'GroupClosed', data: { groupId } });
    await record(groupId, { type: 'GroupReopened', data: { groupId } });
    await client.hears('groupReopened');
    const pushed = client.heard.filter(({ payload }) => 'roster' in payload);
    const answer = await changesAfter(client, groupId, 0);
    expect(answer).toMatchObject({ rosterHead: 8, complete: true });
    expect(answer.roster).toEqual(pushed.map(({ payload }) => payload));
    expect(answer.roster!.map(({ type, roster }) => [type, roster])).toEqual([
      ['MemberJoined', 2],
      ['MemberLeft', 4],
      ['MemberJoined', 5],
      ['MemberRemoved', 6],
      ['GroupClosed', 7],
      ['GroupReopened', 8],
    ]);
    expect(serverEvents.memberJoined.safeParse(answer.roster![0]).success).toBe(true);
    expect(JSON.stringify(answer)).not.toContain(eve);
    expect((await changesAfter(client, groupId, 6)).roster!.map(({ roster }) => roster)).toEqual([7, 8]);
    expect((await changesAfter(client, groupId, 8)).roster).toEqual([]);
  });

  test('is absent for clients that do not ask for it', async () => {
    const alice = newUser();
    const groupId = await world.group(alice);
    const client = await world.client(alice);
    for (const none of [undefined, null])
      expect(await ask(client, groupId, none)).toEqual({ groupId, events: [], headSeq: 0, complete: true });
  });

  test('comes in parts, and leads on past what is not shown', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice);
    const comeAndGo = (): DomainEvent[] => [
      { type: 'MemberJoined', data: { groupId, userId: bob, role: 'member' } },
      { type: 'MemberLeft', data: { groupId, userId: bob } },
    ];
    await record(groupId, ...Array.from({ length: 300 }, comeAndGo).flat());
    await record(groupId, ...Array.from({ length: 600 }, () => assignment(groupId, bob)));
    await world.join(groupId, bob);
    const client = await world.client(alice);
    const first = await changesAfter(client, groupId, 0);
    expect(first).toMatchObject({ rosterHead: 1_202, complete: false });
    expect(first.roster).toHaveLength(500);
    const rest = await changesAfter(client, groupId, first.roster!.at(-1)!.roster);
    expect(rest).toMatchObject({ rosterHead: 1_202, complete: true });
    expect(rest.roster).toHaveLength(101);
    const hidden = await changesAfter(client, groupId, 601);
    expect(hidden.roster!.map(({ roster }) => roster)).toEqual([1_202]);
  });

  test('resets a group whose roster is beyond the head', async () => {
    const alice = newUser();
    const groupId = await world.group(alice);
    const client = await world.client(alice);
    expect(await ask(client, groupId, 2)).toEqual({
      groupId,
      epoch: EPOCH,
      reset: true,
      headSeq: 0,
      rosterHead: 1,
    });
  });

  test('is denied to a removed member, with its own removal', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const own = await world.group(bob);
    const client = await world.client(bob);
    await world.remove(groupId, bob);
    const groups = [groupId, own].map((id) => ({ groupId: id, afterSeq: 0, afterRoster: 0 }));
    expect(await client.asks('sync', { groups })).toMatchObject({
      groups: [{ groupId: own, roster: [], rosterHead: 1 }],
      denied: [groupId],
    });
  });

  test('does not say who came and went before, where the history begins for members as they join', async () => {
    const [acme, ada, bob] = [newUser(), newUser(), newUser()];
    const [groupId, jobId] = [GroupId.parse(newId()), JobId.parse(newId())];
    const data = { groupId, jobId, name: 'Engineer', adminId: acme, historyFrom: 'joined' } as const;
    await record(groupId, { type: 'ChatGroupCreated', data });
    await world.join(groupId, ada);
    await world.remove(groupId, ada);
    await world.join(groupId, bob);
    const client = await world.client(bob);
    const answer = await ask(client, groupId, 0);
    expect(answer).toEqual({ groupId, events: [], headSeq: 0, rosterHead: 4, complete: true });
  });

  test('is announced in the heads, whether or not the push arrived', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice);
    const client = await world.client(alice);
    client.socket.io.engine.on('packet', (packet) => {
      if (typeof packet.data === 'string' && packet.data.startsWith('2["memberJoined"'))
        packet.data = '2["lost"]';
    });
    await world.join(groupId, bob);
    const heads = await client.hears('heads', ({ rosters }) => rosters?.[groupId] === 2);
    expect(heads).toEqual({ groups: {}, rosters: { [groupId]: 2 }, epoch: EPOCH });
    expect(client.all('memberJoined')).toEqual([]);
    expect((await changesAfter(client, groupId, 1)).roster).toMatchObject([{ data: { userId: bob } }]);
  });
});
