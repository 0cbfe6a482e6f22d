import { GroupId, InvitationId, JobId, type UserId } from '../../src/events/ids.ts';
import { chatGroupStream, companyStream } from '../../src/events/streams.ts';
import { newId } from '../../src/kit/uuids.ts';
import { type World, createWorld, newUser } from '../support/stages/sockets.ts';
import { EPOCH } from '../support/stages/positions.ts';
import { until } from '../../tools/until.ts';

describe('rooms', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world.stop());

  test('contain a new socket of each member, which learns the head of each group', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groups = [await world.group(alice, bob), await world.group(alice), await world.group(bob)];
    const first = await world.client(alice);
    await first.send(groups[0]!, 'Hello');
    const second = await world.client(alice);
    expect(new Map(second.all('joinRoom').map(({ groupId, headSeq }) => [groupId, headSeq]))).toEqual(
      new Map([
        [groups[0], 1],
        [groups[1], 0],
      ]),
    );
  });

  test('receive the creator of a group and each member that joins', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const [one, two] = [await world.client(alice), await world.client(bob)];
    const groupId = await world.group(alice);
    expect(await one.hears('joinRoom')).toEqual({
      groupId,
      headSeq: 0,
      rosterHead: 1,
      epoch: EPOCH,
      kind: 'job',
    });
    await one.send(groupId, 'Alone');
    await world.join(groupId, bob);
    expect(await two.hears('joinRoom')).toEqual({
      groupId,
      headSeq: 1,
      rosterHead: 2,
      epoch: EPOCH,
      kind: 'job',
    });
    expect(await one.hears('memberJoined')).toMatchObject({
      roster: 2,
      data: { userId: bob, role: 'member' },
    });
    await one.send(groupId, 'Together');
    expect(await two.hears('messageSent')).toMatchObject({ seq: 2 });
    expect(two.all('messageSent')).toHaveLength(1);
  });

  test('announce a new role without a second joinRoom', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const two = await world.client(bob);
    const promotion = { groupId, userId: bob, role: 'admin' } as const;
    await world.record(chatGroupStream(groupId), { type: 'MemberJoined', data: promotion });
    await two.hears('memberJoined', ({ data }) => data.role === 'admin');
    expect(two.all('joinRoom')).toHaveLength(1);
  });

  test('send a reason to a member that leaves or is removed, and inform the other members', async () => {
    const [alice, bob, carol] = [newUser(), newUser(), newUser()];
    const groupId = await world.group(alice, bob, carol);
    const [one, two, three] = await Promise.all([alice, bob, carol].map((user) => world.client(user)));
    await world.record(chatGroupStream(groupId), { type: 'MemberLeft', data: { groupId, userId: bob } });
    expect(await two!.hears('leaveRoom')).toEqual({ groupId, reason: 'left' });
    await world.remove(groupId, carol);
    expect(await three!.hears('leaveRoom')).toEqual({ groupId, reason: 'removed' });
    await world.record(chatGroupStream(groupId), { type: 'GroupClosed', data: { groupId } });
    await one!.hears('groupClosed');
    expect(one!.heard.map(({ name }) => name).filter((name) => /^(member|group)/.test(name))).toEqual([
      'memberLeft',
      'memberRemoved',
      'groupClosed',
    ]);
    expect(two!.all('memberLeft')).toEqual([]);
    expect(await two!.ask('joinRoom', { groupId })).toMatchObject({ error: { code: 'GROUP_NOT_FOUND' } });
  });

  test('deliver nothing sent after a removal to the removed member, even while others keep sending', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const sender = await world.client(alice);
    const sockets = [await world.client(bob), await world.client(bob)];
    for (let round = 0; round < 40; round += 1) {
      const sent = Promise.all(Array.from({ length: 10 }, () => sender.send(groupId, `round ${round}`)));
      if (round === 20) await world.remove(groupId, bob);
      await sent;
    }
    await sender.hears('messageSent', ({ seq }) => seq === 400);
    const log = await world.store.readAll({ after: 0, limit: 10_000 });
    const removal = log.find(({ type }) => type === 'MemberRemoved')!;
    const lastAllowed = log.filter(
      ({ type, position }) => type === 'MessageSent' && position < removal.position,
    ).length;
    for (const socket of sockets) {
      await socket.hears('leaveRoom');
      expect(socket.all('messageSent').map(({ seq }) => seq)).toEqual(
        Array.from({ length: lastAllowed }, (_, index) => index + 1),
      );
      expect(socket.heard.at(-1)).toEqual({ name: 'leaveRoom', payload: { groupId, reason: 'removed' } });
    }
  });

  test('of a team that becomes a group of its members are left by all others', async () => {
    const [acme, mate] = [newUser(), newUser()];
    const [groupId, jobId] = [GroupId.parse(newId()), JobId.parse(newId())];
    const created = { groupId, jobId, name: 'Engineer', adminId: acme, kind: 'team' } as const;
    await world.record(chatGroupStream(groupId), { type: 'ChatGroupCreated', data: created });
    const invitationId = InvitationId.parse(newId());
    const place = { companyId: acme, userId: mate, invitationId, role: 'recruiter', jobIds: null } as const;
    await world.record(companyStream(acme), { type: 'TeammateJoined', data: place });
    const company = { actor: { userId: acme, role: 'company' as const } };
    const one = await world.client(acme, { token: world.token(acme, company) });
    const token = world.token(mate, { actor: { userId: mate, role: 'company' } });
    const two = await world.client(mate, { token });
    expect(await two.asks('joinRoom', { groupId })).toMatchObject({ kind: 'team' });
    await one.send(groupId, 'To the team');
    await two.hears('messageSent');
    const change = { groupId, kind: 'job', historyFrom: 'start' } as const;
    await world.record(chatGroupStream(groupId), { type: 'GroupKindChanged', data: change });
    await one.send(groupId, 'To the members');
    await one.hears('messageSent', ({ seq }) => seq === 2);
    expect(await two.hears('leaveRoom')).toEqual({ groupId, reason: 'removed' });
    expect(two.all('messageSent').map(({ seq }) => seq)).toEqual([1]);
  });

  test('of a company that somebody has left send it no edits, of messages that it did not see either', async () => {
    await world.stop();
    const [acme, mate] = [newUser(), newUser()];
    world = await createWorld({
      queries: {
        roomsOfUser: async () => ({ rooms: [], hasMore: false }),
        headsOfThreads: async () => [],
        unseenBy: async (messageIds) => new Map(messageIds.map((id) => [id, [mate]])),
      },
    });
    const clientOf = (userId: UserId) =>
      world.client(userId, { token: world.token(userId, { actor: { userId, role: 'company' } }) });
    const [one, two] = [await clientOf(acme), await clientOf(mate)];
    const [groupId, jobId] = [GroupId.parse(newId()), JobId.parse(newId())];
    const created = { groupId, jobId, name: 'Engineer', adminId: acme, historyFrom: 'joined' } as const;
    await world.record(chatGroupStream(groupId), { type: 'ChatGroupCreated', data: created });
    const invitationId = InvitationId.parse(newId());
    const place = { companyId: acme, userId: mate, invitationId, role: 'recruiter', jobIds: null } as const;
    await world.record(companyStream(acme), { type: 'TeammateJoined', data: place });
    await one.hears('joinRoom');
    const { messageId } = await one.send(groupId, 'Before');
    await world.join(groupId, mate);
    await two.hears('joinRoom');
    await one.asks('editMessage', { groupId, messageId, text: 'Edited' });
    expect((await two.hears('messageEdited')).data).toMatchObject({ text: null });
    const removal = { companyId: acme, userId: mate };
    await world.record(companyStream(acme), { type: 'TeammateRemoved', data: removal });
    await one.asks('editMessage', { groupId, messageId, text: 'Edited again' });
    await one.hears('messageEdited', ({ data }) => 'text' in data && data.text === 'Edited again');
    // What is sent to it from now on comes after that.
    await world.group(mate);
    await two.hears('joinRoom', (room) => room.groupId !== groupId);
    expect(two.all('messageEdited')).toHaveLength(1);
  });

  test('can be left and rejoined by a socket, whose choice survives a change of role', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const [one, two] = [await world.client(alice), await world.client(bob)];
    await one.send(groupId, '1');
    expect(await two.asks('leaveRoom', { groupId })).toEqual({ ok: true, headSeq: 1 });
    await world.join(groupId, bob);
    await one.send(groupId, '2');
    expect(await two.asks('joinRoom', { groupId })).toEqual({
      ok: true,
      headSeq: 2,
      rosterHead: 3,
      epoch: EPOCH,
      kind: 'job',
    });
    await one.send(groupId, '3');
    await two.hears('messageSent', ({ seq }) => seq === 3);
    expect(two.all('messageSent').map(({ seq }) => seq)).toEqual([1, 3]);
  });

  test('reflect a membership that changes while the groups are looked up', async () => {
    const [alice, bob, carol] = [newUser(), newUser(), newUser()];
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const { roomsOfUser, ...queries } = world.deps.queries;
    let questions = 0;
    await world.stop();
    world = await createWorld({
      store: world.store,
      queries: {
        ...queries,
        async roomsOfUser(userId) {
          const groups = await roomsOfUser(userId);
          questions += 1;
          if (questions > 1) return groups;
          asked.resolve();
          await answer.promise;
          return groups;
        },
      },
    });
    const [kept, lost] = [await world.group(alice, carol), await world.group(alice, bob)];
    const late = world.connect({ token: world.token(bob) });
    await asked.promise;
    await world.remove(lost, bob);
    await world.join(kept, bob);
    await until(async () => (await world.gateway.position()) === 6, 'the broadcaster');
    answer.resolve();
    await late.hears('joinRoom', ({ groupId }) => groupId === kept);
    const speaker = await world.client(alice);
    await speaker.send(lost, 'Without Bob');
    await speaker.send(kept, 'With Bob');
    await late.hears('messageSent');
    expect(late.all('messageSent').map(({ groupId }) => groupId)).toEqual([kept]);
  });

  test('are joined later while the read model is behind, and events are handled meanwhile', async () => {
    let isBehind = true;
    await world.stop();
    world = await createWorld({ progress: { reached: async () => !isBehind } });
    const alice = newUser();
    const groupId = await world.group(alice);
    const client = world.connect({ token: world.token(alice) });
    await client.send(groupId, 'Works already');
    expect(client.all('joinRoom')).toEqual([]);
    isBehind = false;
    expect(await client.hears('joinRoom')).toEqual({
      groupId,
      headSeq: 1,
      rosterHead: 1,
      epoch: EPOCH,
      kind: 'job',
    });
  });
});
