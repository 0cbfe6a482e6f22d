import { randomUUID } from 'node:crypto';
import { noTracing } from '../../src/kit/tracing.ts';
import { linesOf } from '../support/log-lines.ts';
import { type World, createWorld, newUser } from '../support/stages/sockets.ts';

describe('messages over sockets', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld();
  });
  afterEach(() => world.stop());

  const talk = async () => {
    const [alice, bob] = [newUser(), newUser()];
    const groupId = await world.group(alice, bob);
    return {
      alice: await world.client(alice),
      bob: await world.client(bob),
      groupId,
      aliceId: alice,
      bobId: bob,
    };
  };

  test('are acknowledged and reach every member, including the sender, as an envelope', async () => {
    const { alice, bob, groupId, aliceId } = await talk();
    const answer = await alice.send(groupId, 'Hello');
    expect(answer).toEqual({
      ok: true,
      messageId: expect.any(String),
      seq: 1,
      occurredAt: expect.any(String),
      duplicate: false,
      position: expect.any(String),
    });
    const envelope = await bob.hears('messageSent');
    expect(envelope).toMatchObject({ type: 'MessageSent', v: 1, groupId, seq: 1, actorId: aliceId });
    expect(envelope.data).toMatchObject({ messageId: answer.messageId, text: 'Hello' });
    expect(await alice.hears('messageSent')).toEqual(envelope);
  });

  test('return the first outcome for a repetition, and refuse another text under the same key', async () => {
    const { alice, groupId } = await talk();
    const message = { groupId, clientMsgId: randomUUID(), text: 'Once' };
    const first = await alice.asks('sendMessage', message);
    expect(await alice.asks('sendMessage', message)).toEqual({ ...first, duplicate: true });
    expect(await alice.ask('sendMessage', { ...message, text: 'Twice' })).toMatchObject({
      ok: false,
      error: { code: 'CLIENT_MSG_ID_REUSED', status: 409 },
    });
  });

  test('deliver edits, reactions and deletions to the members in order', async () => {
    const { alice, bob, groupId, bobId } = await talk();
    const { messageId } = await alice.send(groupId, 'Helo');
    const about = { groupId, messageId };
    expect(await alice.asks('editMessage', { ...about, text: 'Hello' })).toMatchObject({ seq: 2 });
    expect(await bob.asks('addReaction', { ...about, emoji: '👍' })).toMatchObject({ seq: 3 });
    expect(await bob.asks('removeReaction', { ...about, emoji: '👍' })).toMatchObject({ seq: 4 });
    expect(await alice.asks('deleteMessage', about)).toMatchObject({ seq: 5, position: expect.any(String) });
    await bob.hears('messageDeleted');
    const changes = bob.heard
      .flatMap(({ name, payload }) =>
        'roster' in payload || !('seq' in payload) || !('data' in payload) ? [] : [{ name, ...payload }],
      )
      .filter(({ seq }) => seq > 1);
    expect(changes.map(({ name, seq }) => [name, seq])).toEqual([
      ['messageEdited', 2],
      ['reactionAdded', 3],
      ['reactionRemoved', 4],
      ['messageDeleted', 5],
    ]);
    expect(changes[1]!.data).toEqual({ ...about, emoji: '👍', userId: bobId });
  });

  test('answer a change without effect with the seq of the message', async () => {
    const { alice, groupId } = await talk();
    const { messageId } = await alice.send(groupId, 'Same');
    await alice.send(groupId, 'Another');
    expect(await alice.asks('editMessage', { groupId, messageId, text: 'Same' })).toMatchObject({ seq: 1 });
  });

  test('reach each of many sockets once and in order, whatever else is on its way there', async () => {
    const [first, ...others] = [newUser(), ...Array.from({ length: 39 }, newUser)] as const;
    const users = [first, ...others];
    const large = await world.group(first, ...others);
    const small = await world.group(first, ...others.slice(0, 9));
    const clients = await Promise.all(users.map((user) => world.client(user)));
    const sent = clients.flatMap((client, index) =>
      (index < 10 ? [large, small] : [large]).flatMap((groupId) =>
        [1, 2, 3, 4, 5].map((n) => client.send(groupId, `${index}/${n}`)),
      ),
    );
    const acks = await Promise.all(sent);
    expect(acks).toHaveLength(250);
    const seqs = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
    for (const [index, client] of clients.entries()) {
      await client.hears('messageSent', ({ groupId, seq }) => groupId === large && seq === 200);
      if (index < 10)
        await client.hears('messageSent', ({ groupId, seq }) => groupId === small && seq === 50);
      const heard = (group: string) =>
        client.all('messageSent').flatMap(({ groupId, seq }) => (groupId === group ? [seq] : []));
      expect(heard(large)).toEqual(seqs(200));
      expect(heard(small)).toEqual(index < 10 ? seqs(50) : []);
    }
  });

  test('are handled in the order in which a socket sent them', async () => {
    const { alice, bob, groupId } = await talk();
    const texts = Array.from({ length: 50 }, (_, index) => `message ${index}`);
    await Promise.all(texts.map((text) => alice.send(groupId, text)));
    await bob.hears('messageSent', ({ seq }) => seq === 50);
    expect(bob.all('messageSent').map(({ data }) => data.text)).toEqual(texts);
  });

  test('are handled without a callback, and before the rooms are ready', async () => {
    const { bob, groupId, aliceId } = await talk();
    const late = world.connect({ token: world.token(aliceId) });
    late.socket.emit('sendMessage', { groupId, clientMsgId: randomUUID(), text: 'No answer needed' });
    expect(await bob.hears('messageSent')).toMatchObject({ data: { text: 'No answer needed' } });
  });

  test('reveal nothing about a group to a stranger', async () => {
    const { groupId } = await talk();
    const stranger = await world.client(newUser());
    const refusal = { ok: false, error: { code: 'GROUP_NOT_FOUND', status: 404 } };
    const messageId = randomUUID();
    for (const answer of [
      stranger.ask('sendMessage', { groupId, clientMsgId: randomUUID(), text: 'Hi' }),
      stranger.ask('editMessage', { groupId, messageId, text: 'Hi' }),
      stranger.ask('deleteMessage', { groupId, messageId }),
      stranger.ask('addReaction', { groupId, messageId, emoji: '👍' }),
      stranger.ask('removeReaction', { groupId, messageId, emoji: '👍' }),
      stranger.ask('markRead', { groupId, seq: 1 }),
      stranger.ask('typing', { groupId, isTyping: true }),
      stranger.ask('joinRoom', { groupId }),
      stranger.ask('leaveRoom', { groupId }),
      stranger.ask('sync', { groups: [{ groupId, afterSeq: 0 }] }),
    ])
      expect(await answer).toMatchObject(refusal);
  });

  test('have a quota of their own, and a refusal is retryable', async () => {
    await world.stop();
    world = await createWorld({ messagesPerMinute: 2 });
    const { alice, groupId } = await talk();
    await alice.send(groupId, '1');
    await alice.send(groupId, '2');
    const third = await alice.ask('sendMessage', { groupId, clientMsgId: randomUUID(), text: '3' });
    expect(third).toMatchObject({
      ok: false,
      error: { code: 'RATE_LIMITED', retryable: true, retryAfterMs: expect.any(Number) },
    });
    expect(JSON.stringify(third)).not.toContain('retryAfterSeconds');
    expect(world.metered.refused).toContain('RATE_LIMITED');
  });
});

test('a failure over a socket is logged with the trace of the client', async () => {
  const { log, lines } = linesOf('error');
  const world = await createWorld({
    handle: () => Promise.reject(new Error('out of order')),
    tracing: { ...noTracing, isOn: true },
    log,
  });
  const user = newUser();
  const groupId = await world.group(user);
  const client = await world.client(user);
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const answer = await client.ask('sendMessage', {
    ...{ groupId, clientMsgId: randomUUID(), text: 'Hello' },
    traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
  });
  expect(answer).toMatchObject({ ok: false, error: { code: 'INTERNAL' } });
  expect(lines()).toMatchObject([
    {
      msg: 'a socket event failed',
      event: 'sendMessage',
      correlationId: '4bf92f35-77b3-4da6-a3ce-929d0e0e4736',
      trace_id: traceId,
    },
  ]);
  await world.stop();
});
