import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { toEnvelope } from '../../src/protocol/envelope.ts';
import type { ConversationEvent } from '../../src/events/domain-event.ts';
import type { Recorded } from '../../src/events/event-store.ts';
import type { GroupId, MessageId, UserId } from '../../src/events/ids.ts';
import { conversationStream } from '../../src/events/streams.ts';
import { serverEvents } from '../../src/realtime/connection/protocol.ts';
import { type TestClient, type World, createWorld, newUser, whole } from '../support/stages/sockets.ts';
import { EPOCH } from '../support/stages/positions.ts';
import { until } from '../../tools/until.ts';

describe('sync and heads', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld({ settings: { headsIntervalMs: 100 } });
  });
  afterEach(() => world.stop());

  const fill = async (groupId: GroupId, senderId: UserId, count: number, text = 'Hello') => {
    for (let left = count; left > 0; left -= 1)
      await world.record(conversationStream(groupId), {
        type: 'MessageSent',
        data: {
          groupId,
          senderId,
          text,
          messageId: randomUUID() as MessageId,
          clientMsgId: randomUUID() as never,
          fileIds: [],
          replyTo: null,
        },
      });
  };
  const logOf = async (groupId: GroupId) =>
    ((await world.store.readStream(conversationStream(groupId))) as Recorded<ConversationEvent>[]).map(
      toEnvelope,
    );

  /** Drops every message pushed to a client, before the client sees it. */
  const losePushes = ({ socket }: TestClient) => {
    const isLost = Promise.withResolvers<void>();
    socket.io.engine.on('packet', (packet) => {
      if (typeof packet.data !== 'string' || !packet.data.startsWith('2["messageSent"')) return;
      packet.data = '2["lost"]';
      isLost.resolve();
    });
    return isLost.promise;
  };

  test('is complete although the last events of a damaged stream cannot be read', async () => {
    const alice = newUser();
    const groupId = await world.group(alice);
    await fill(groupId, alice, 3);
    const { readStream } = world.store;
    world.store.readStream = async (...args) =>
      (await readStream(...args)).filter(({ revision, type }) => type !== 'MessageSent' || revision < 2);
    const client = await world.client(alice);
    const missed = await client.asks('sync', { groups: [{ groupId, afterSeq: 0 }] });
    expect(missed.groups[0]).toMatchObject({ headSeq: 3, complete: true });
    expect(whole(missed.groups[0]).events.map(({ seq }) => seq)).toEqual([1, 2]);
  });

  test('returns missed events from the log, 500 at a time', async () => {
    const alice = newUser();
    const groupId = await world.group(alice);
    await fill(groupId, alice, 601);
    const client = await world.client(alice);
    const first = await client.asks('sync', { groups: [{ groupId, afterSeq: 0 }] });
    expect(first.groups[0]).toMatchObject({ groupId, headSeq: 601, complete: false });
    expect(whole(first.groups[0]).events).toHaveLength(500);
    const rest = await client.asks('sync', { groups: [{ groupId, afterSeq: 500 }] });
    expect(rest.groups[0]).toMatchObject({ headSeq: 601, complete: true });
    expect([...whole(first.groups[0]).events, ...whole(rest.groups[0]).events]).toEqual(await logOf(groupId));
    for (const envelope of whole(rest.groups[0]).events)
      expect(serverEvents.messageSent.safeParse(envelope).success).toBe(true);
  });

  test('answers completely when nothing is new', async () => {
    const alice = newUser();
    const groupId = await world.group(alice);
    const client = await world.client(alice);
    for (const epoch of [undefined, null, EPOCH])
      expect(await client.asks('sync', { groups: [{ groupId, afterSeq: 0 }], epoch })).toEqual({
        ok: true,
        epoch: EPOCH,
        groups: [{ groupId, events: [], headSeq: 0, complete: true }],
        denied: [],
      });
  });

  test('resets a group whose seq is beyond the head, and answers about the others', async () => {
    const alice = newUser();
    const [ahead, level] = [await world.group(alice), await world.group(alice)];
    for (const groupId of [ahead, level]) await fill(groupId, alice, 2);
    const client = await world.client(alice);
    const groups = [
      { groupId: ahead, afterSeq: 3 },
      { groupId: level, afterSeq: 1 },
    ];
    for (const epoch of [undefined, EPOCH])
      expect(await client.asks('sync', { groups, epoch })).toMatchObject({
        epoch: EPOCH,
        groups: [
          { groupId: ahead, epoch: EPOCH, reset: true, headSeq: 2 },
          { groupId: level, events: [{ seq: 2 }], headSeq: 2, complete: true },
        ],
      });
  });

  test('resets every group of a client that knows another epoch, whatever their seqs are', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const own = [await world.group(alice), await world.group(alice)];
    const foreign = await world.group(bob);
    await fill(own[0]!, alice, 2);
    const client = await world.client(alice);
    const groups = [...own, foreign].map((groupId) => ({ groupId, afterSeq: 0 }));
    expect(await client.asks('sync', { groups, epoch: 'earlier1' })).toEqual({
      ok: true,
      epoch: EPOCH,
      groups: [
        { groupId: own[0], epoch: EPOCH, reset: true, headSeq: 2 },
        { groupId: own[1], epoch: EPOCH, reset: true, headSeq: 0 },
      ],
      denied: [foreign],
    });
  });

  test('does not reset a group that this node sees a moment later than another one', async () => {
    const alice = newUser();
    const groupId = await world.group(alice);
    await fill(groupId, alice, 2);
    const client = await world.client(alice);
    const { revisions } = world.store;
    const lagging = jest.spyOn(world.store, 'revisions');
    let looks = 0;
    lagging.mockImplementation(async (streams) => {
      const found = await revisions(streams);
      const stream = conversationStream(groupId);
      if (streams.includes(stream) && (looks += 1) <= 3) found.set(stream, 0);
      return found;
    });
    const answer = await client.asks('sync', { groups: [{ groupId, afterSeq: 2 }] });
    expect(answer.groups).toEqual([{ groupId, events: [], headSeq: 2, complete: true }]);
    expect(looks).toBe(4);
  });

  test('tells the epoch with every head', async () => {
    const alice = newUser();
    const groupId = await world.group(alice);
    const client = await world.client(alice);
    await client.send(groupId, 'Hello');
    const heads = { rosterHead: 1, epoch: EPOCH };
    expect(await client.hears('joinRoom')).toEqual({ groupId, headSeq: 0, ...heads, kind: 'job' });
    expect(await client.hears('heads', ({ groups }) => groupId in groups)).toMatchObject({
      groups: { [groupId]: 1 },
      epoch: EPOCH,
    });
    expect(await client.asks('joinRoom', { groupId })).toEqual({
      ok: true,
      headSeq: 1,
      rosterHead: 1,
      epoch: EPOCH,
      kind: 'job',
    });
  });

  test('lists groups of others as denied, and answers 404 when only those are requested', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const [own, foreign] = [await world.group(alice), await world.group(bob)];
    const client = await world.client(alice);
    const groups = [own, foreign].map((groupId) => ({ groupId, afterSeq: 0 }));
    expect(await client.asks('sync', { groups })).toMatchObject({
      groups: [{ groupId: own }],
      denied: [foreign],
    });
    expect(await client.ask('sync', { groups: groups.slice(1) })).toMatchObject({
      error: { code: 'GROUP_NOT_FOUND' },
    });
  });

  test('cuts a large answer to fit a socket until repeated calls complete it', async () => {
    const alice = newUser();
    const groups = [await world.group(alice), await world.group(alice)];
    for (const groupId of groups) await fill(groupId, alice, 150, '☃'.repeat(4_000));
    const client = await world.client(alice);
    const last = new Map(groups.map((groupId) => [groupId as string, 0]));
    let calls = 0;
    for (let isWhole = false; !isWhole; calls += 1) {
      const asked = [...last].map(([groupId, afterSeq]) => ({ groupId, afterSeq }));
      const answer = await client.asks('sync', { groups: asked });
      expect(JSON.stringify(answer).length).toBeLessThan(500_000);
      for (const { groupId, events } of answer.groups.map(whole))
        last.set(groupId, events.at(-1)?.seq ?? last.get(groupId)!);
      isWhole = answer.groups.map(whole).every(({ complete }) => complete);
    }
    expect([...last.values()]).toEqual([150, 150]);
    expect(calls).toBeGreaterThan(5);
    expect(client.socket.connected).toBe(true);
  });

  test('announces a message whose push was lost in the heads, so that sync can fetch it', async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    const [sender, deaf] = [await world.client(alice), await world.client(bob)];
    const lost = losePushes(deaf);
    await sender.send(groupId, 'Lost on the way');
    await lost;
    expect(deaf.all('messageSent')).toEqual([]);
    await deaf.hears('heads', ({ groups }) => groups[groupId] === 1);
    const answer = await deaf.asks('sync', { groups: [{ groupId, afterSeq: 0 }] });
    expect(whole(answer.groups[0]).events).toEqual(await logOf(groupId));
  });

  test('sends the head of a group once, until the group moves again', async () => {
    const alice = newUser();
    const [busy, quiet] = [await world.group(alice), await world.group(alice)];
    const client = await world.client(alice);
    for (const seq of [1, 2]) {
      await client.send(busy, 'Hello');
      await client.hears('heads', ({ groups }) => groups[busy] === seq);
    }
    const told = client.all('heads').flatMap(({ groups }) => Object.entries(groups));
    expect(told).toEqual([
      [busy, 1],
      [busy, 2],
    ]);
    const rosters = client.all('heads').flatMap((heads) => Object.entries(heads.rosters ?? {}));
    expect(new Map(rosters)).toEqual(
      new Map([
        [busy, 1],
        [quiet, 1],
      ]),
    );
    expect(rosters).toHaveLength(2);
  });

  test('gives every client the whole log in combination with pushes and heads, despite losses and repetitions', async () => {
    const users = [newUser(), newUser(), newUser()];
    const groupId = await world.group(users[0]!, ...users.slice(1));
    const views = users.map(() => [] as { seq: number }[]);
    const clients = await Promise.all(users.map((user) => world.client(user)));
    clients.forEach((client, index) => {
      const view = views[index]!;
      let isSyncing = false;
      const lastSeq = () => view.at(-1)?.seq ?? 0;
      const sync = async () => {
        if (isSyncing) return;
        isSyncing = true;
        const ask = () => client.ask('sync', { groups: [{ groupId, afterSeq: lastSeq() }] });
        let answer = await ask();
        // A busy machine may answer too late.
        while (!answer.ok) answer = await ask();
        whole(answer.groups[0]).events.forEach(apply);
        isSyncing = false;
      };
      const apply = (envelope: { seq: number }) => {
        if (envelope.seq === lastSeq() + 1) view.push(envelope);
        else if (envelope.seq > lastSeq()) void sync();
      };
      client.socket.on('messageSent', (envelope) => {
        if (envelope.seq % (index + 2) !== 0) apply(envelope);
      });
      client.socket.on('heads', ({ groups }) => groups[groupId]! > lastSeq() && void sync());
    });
    await Promise.all(
      clients.map(async (client) => {
        for (let count = 0; count < 60; count += 1) await client.send(groupId, `${count}`);
      }),
    );
    await until(() => views.every((view) => view.length === 180), 'all views to be whole');
    const log = await logOf(groupId);
    for (const view of views) expect(view).toEqual(log);
  });
});
