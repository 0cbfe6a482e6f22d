import { GroupId, InvitationId, JobId } from '../../src/events/ids.ts';
import { chatGroupStream, companyStream } from '../../src/events/streams.ts';
import { newId } from '../../src/kit/uuids.ts';
import type { Delivery } from '../../src/realtime/delivery/delivery.ts';
import { type ClusterStage, openClusterStage } from '../support/stages/cluster-stage.ts';
import { type World, newUser } from '../support/stages/sockets.ts';
import { until } from '../../tools/until.ts';

/** A broadcaster whose roster notices never arrive. */
const withoutRosters = (delivery: Delivery): Delivery => ({ ...delivery, roster: () => {} });

describe('A cluster that loses roster notices', () => {
  let stage: ClusterStage;
  let here: World;
  let there: World;
  beforeAll(async () => {
    stage = await openClusterStage();
    const settings = { headsIntervalMs: 500 };
    [here, there] = [await stage.node(), await stage.node({ settings })];
    await stage.broadcaster(withoutRosters);
  });
  afterAll(() => stage.close());

  test('sends a removed member nothing after the removal', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await here.group(alice, bob);
    const one = await there.client(alice);
    const two = await there.client(bob);
    const sender = await here.client(alice);
    await sender.send(groupId, 'With Bob');
    await two.hears('messageSent');
    await here.remove(groupId, bob);
    for (let n = 0; n < 20; n += 1) await sender.send(groupId, `Without Bob ${n}`);
    await one.hears('messageSent', ({ seq }) => seq === 21);
    expect(one.all('messageSent').map(({ seq }) => seq)).toEqual(
      Array.from({ length: 21 }, (_, index) => index + 1),
    );
    expect(await two.hears('leaveRoom')).toEqual({ groupId, reason: 'removed' });
    expect(two.all('messageSent').map(({ seq }) => seq)).toEqual([1]);
    expect(two.all('memberRemoved')).toEqual([]);
  });

  test('puts a new member into the room before the first message that it may receive', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await here.group(alice);
    const [one, sender] = [await there.client(alice), await here.client(alice)];
    const two = await there.client(bob);
    await here.join(groupId, bob);
    await one.hears('memberJoined');
    await sender.send(groupId, 'Hello Bob');
    expect(await two.hears('messageSent')).toMatchObject({ seq: 1 });
    await two.hears('joinRoom');
    expect(two.all('joinRoom')).toHaveLength(1);
  });

  test('corrects a quiet room within one heads interval', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await here.group(alice, bob);
    const mute = await stage.node({ settings: { headsIntervalMs: 500 } });
    const [one, two] = [await mute.client(alice), await mute.client(bob)];
    await one.send(groupId, 'So that the room is known');
    await two.hears('messageSent');
    await here.record(`chatGroup-${groupId}`, { type: 'MemberLeft', data: { groupId, userId: bob } });
    expect(await two.hears('leaveRoom')).toEqual({ groupId, reason: 'left' });
  });
});

test('A cluster refuses what a removed teammate types in a room, on a node that has not read of the removal', async () => {
  const stage = await openClusterStage();
  try {
    const [here, there] = [await stage.node(), await stage.node()];
    const [acme, mate] = [newUser(), newUser()];
    const [groupId, jobId] = [GroupId.parse(newId()), JobId.parse(newId())];
    const created = { groupId, jobId, name: 'Engineer', adminId: acme, kind: 'team' } as const;
    await here.record(chatGroupStream(groupId), { type: 'ChatGroupCreated', data: created });
    const invitationId = InvitationId.parse(newId());
    const place = { companyId: acme, userId: mate, invitationId, role: 'recruiter', jobIds: null } as const;
    await here.record(companyStream(acme), { type: 'TeammateJoined', data: place });
    // It begins at the head of the log: late news of the arrival would take the client out of the room as well.
    await stage.broadcaster();
    const token = there.token(mate, { actor: { userId: mate, role: 'company' } });
    const client = await there.client(mate, { token });
    await client.asks('joinRoom', { groupId });
    await client.asks('typing', { groupId, isTyping: true });
    const removal = { companyId: acme, userId: mate };
    await here.record(companyStream(acme), { type: 'TeammateRemoved', data: removal });
    await client.hears('leaveRoom');
    const answer = await client.ask('typing', { groupId, isTyping: true });
    expect(answer).toMatchObject({ error: { code: 'GROUP_NOT_FOUND' } });
  } finally {
    await stage.close();
  }
});

test('Ignores forged roster notices and drops malformed ones', async () => {
  const stage = await openClusterStage();
  try {
    const here = await stage.node();
    await stage.broadcaster();
    const [alice, eve] = [newUser(), newUser()];
    const groupId = await here.group(alice);
    const [one, two] = [await here.client(alice), await here.client(eve)];
    await one.send(groupId, 'Before');
    await one.hears('messageSent');
    const say = (type: number, data: object) =>
      stage.redis.ask('SPUBLISH', 'chat:push#/#', JSON.stringify({ uid: 'forged', nsp: '/', type, data }));
    const all = { rooms: [], except: [] };
    await say(9, { packet: ['roster', { groupId, userId: alice, revision: 99 }] });
    await say(9, { packet: ['roster', { groupId, userId: eve, revision: 1 }] });
    await say(9, { packet: ['roster', 'nonsense'] });
    await say(9, { packet: ['connection', null] });
    await say(4, { opts: all, rooms: [`group:${groupId}`] });
    await say(5, { opts: all, rooms: [`group:${groupId}`] });
    await say(6, { opts: all, close: true });
    await say(3, { packet: { text: '["heads",{}]' }, opts: all });
    await one.send(groupId, 'After');
    await one.hears('messageSent', ({ seq }) => seq === 2);
    await until(() => two.socket.connected, 'Eve to be connected still');
    expect(two.heard).toEqual([]);
    expect(one.all('heads')).toEqual([]);
  } finally {
    await stage.close();
  }
});
