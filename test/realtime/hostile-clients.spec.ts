import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { WebSocket } from 'ws';
import { DEFAULT_COSTS } from '../../src/protocol/rate-limits.ts';
import { clientEvents } from '../../src/realtime/connection/protocol.ts';
import { type TestClient, type World, createWorld, newUser } from '../support/stages/sockets.ts';
import { until } from '../../tools/until.ts';

const names = Object.keys(clientEvents);

describe('hostile clients', () => {
  let world: World;
  let groupId: string;
  let witness: TestClient;
  const alice = newUser();
  beforeAll(async () => {
    world = await createWorld({ settings: { refusals: { perSecond: 100_000, burst: 100_000 } } });
    groupId = await world.group(alice);
    witness = await world.client(alice);
  });
  afterAll(() => world.stop());
  const stillServes = () => witness.send(groupId, 'Still here');

  test.each(names)('get a problem for every malformed payload of %s', async (name) => {
    const client = await world.client(alice);
    const valid = { groupId, messageId: randomUUID(), clientMsgId: randomUUID(), seq: 1, text: 'Hi' };
    const bad = [
      undefined,
      null,
      [],
      {},
      'text',
      7,
      true,
      Buffer.from('binary'),
      { ...valid, surplus: 1 },
      { groupId: 'no-uuid' },
      { groupId: null, groups: null, token: null },
      { groups: Array.from({ length: 101 }, () => ({ groupId, afterSeq: 0 })) },
      { groups: [{ groupId, afterSeq: -1 }] },
      { ...valid, text: 'NUL \u0000' },
      { ...valid, text: 'half \ud800' },
      JSON.parse('{"__proto__": {"groupId": 1}, "constructor": {}}'),
    ];
    for (const payload of bad) {
      const answer = await client.any.timeout(5_000).emitWithAck(name, payload);
      expect([name, payload, answer.ok, answer.error?.status]).toEqual([name, payload, false, 400]);
      expect(answer.error).toMatchObject({ code: 'BAD_REQUEST', retryable: false });
    }
    const extra = await client.any.timeout(5_000).emitWithAck(name, {}, {}, {});
    expect(extra).toMatchObject({ ok: false, error: { code: 'BAD_REQUEST' } });
    client.any.emit(name, null);
    client.any.emit(name);
    client.socket.disconnect();
    await stillServes();
  });

  test.each(['nothing', 'constructor', '__proto__', 'toString', 'messageSent', 'error', '\u0000'])(
    'get an ack for an unknown event: %j',
    async (name) => {
      expect(await witness.ask(name as never, {})).toMatchObject({
        ok: false,
        error: { code: 'UNKNOWN_EVENT' },
      });
      witness.any.emit(name, {});
    },
  );

  test('get only acks with a known code for generated payloads', async () => {
    const client = await world.client(alice);
    const payload = fc.oneof(
      fc.anything({ maxDepth: 4, withObjectString: true }),
      fc.record(
        {
          groupId: fc.oneof(fc.constant(groupId), fc.uuid(), fc.anything()),
          messageId: fc.oneof(fc.uuid(), fc.anything()),
          clientMsgId: fc.oneof(fc.uuid(), fc.anything()),
          text: fc.oneof(fc.string({ unit: 'binary' }), fc.anything()),
          emoji: fc.oneof(fc.constant('👍'), fc.string()),
          seq: fc.oneof(fc.nat(), fc.double(), fc.anything()),
          isTyping: fc.oneof(fc.boolean(), fc.anything()),
        },
        { requiredKeys: [] },
      ),
    );
    const known =
      /^(BAD_REQUEST|GROUP_NOT_FOUND|MESSAGE_NOT_FOUND|TOKEN_INVALID|CLIENT_MSG_ID_REUSED|FILE_NOT_FOUND)$/;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), payload, async (name, value) => {
        let wire: unknown;
        try {
          wire = JSON.parse(JSON.stringify(value) ?? 'null');
        } catch {
          return;
        }
        const answer = await client.any.timeout(5_000).emitWithAck(name, wire);
        if (!answer.ok) expect(answer.error.code).toMatch(known);
        expect(JSON.stringify(answer)).not.toMatch(/\.ts:|node_modules|at async/);
      }),
      { numRuns: 10_000 },
    );
    await stillServes();
  });

  test('lose at most their own connection with frames outside the protocol', async () => {
    const url = `${world.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
    let runs = 0;
    const frame = fc.oneof(
      fc.string(),
      fc.uint8Array({ maxLength: 64 }),
      fc.constantFrom('', '0', '1', '2', '3', '4', '40', '41', '42', '43', '44', '45', '5', '6', '4\u0000'),
      fc
        .tuple(fc.constantFrom('42', '420', '43', '4299', '451-', '42/x,', '40/x,', '440'), fc.json())
        .map((parts) => parts.join('')),
      fc.constantFrom('42[]', '42[7]', '42[null]', '42{}', '4212["sync"]', '429007199254740993["sync",{}]'),
      fc.constantFrom('451-["sync",{"_placeholder":true,"num":0}]', '4599-["sync"]', '42["disconnect"]'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(frame, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (frames, isIn) => {
          runs += 1;
          const ws = new WebSocket(url, { headers: { 'x-address': `192.0.2.${runs % 250}` } });
          await new Promise((resolve) => ws.once('message', resolve));
          if (isIn) ws.send(`40${JSON.stringify({ token: world.token(newUser()) })}`);
          for (const each of frames) ws.send(each);
          await new Promise<void>((resolve) => {
            ws.once('pong', () => resolve());
            ws.once('close', () => resolve());
            ws.on('error', () => resolve());
            ws.ping();
          });
          ws.terminate();
        },
      ),
      { numRuns: 300 },
    );
    await stillServes();
    await until(() => world.metered.sockets === 2, 'the sockets of the fuzz to be gone').catch(
      () => undefined,
    );
  });

  test('lose their connection, without harm to the server, with a payload over 64 KiB', async () => {
    const client = await world.client(alice);
    client.socket.emit('sendMessage', { groupId, clientMsgId: randomUUID(), text: 'x'.repeat(70_000) });
    await until(() => !client.socket.connected, 'the end');
    await stillServes();
  });

  test('are refused events beyond the budget of their user, with the time to wait', async () => {
    const calm = await createWorld({ requestsPerMinute: 200 + 2 * DEFAULT_COSTS.connection });
    const id = await calm.group(alice);
    const clients = [await calm.client(alice), await calm.client(alice)];
    const typing = { groupId: id, isTyping: true };
    const left = await Promise.all(
      Array.from({ length: 300 }, (_, index) => clients[index % 2]!.ask('typing', typing)),
    );
    const refused = left.flatMap((answer) => (answer.ok ? [] : [answer.error]));
    expect(refused.length).toBe(300 - 200);
    for (const error of refused)
      expect(error).toMatchObject({
        ...{ code: 'RATE_LIMITED', retryable: true, status: 429 },
        retryAfterMs: expect.any(Number),
      });
    expect(refused[0]!.retryAfterMs).toBeGreaterThan(50_000);
    expect(refused[0]).not.toHaveProperty('retryAfterSeconds');
    await calm.stop();
  });

  test.each([
    ['an unknown event', 'nothing', {}, 5],
    ['an event without a price of its own', 'markRead', 'malformed', 5],
    ['a change of a message', 'editMessage', 'malformed', 10],
    ['a synchronization of 100 groups', 'sync', 'groups', 10],
  ])('pay for %s', async (_, name, payload, points) => {
    const calm = await createWorld({ requestsPerMinute: 100 + DEFAULT_COSTS.connection });
    const id = await calm.group(alice);
    const client = await calm.client(alice);
    const groups = [id, ...Array.from({ length: 99 }, () => randomUUID())];
    const asked =
      payload === 'groups' ? { groups: groups.map((groupId) => ({ groupId, afterSeq: 0 })) } : payload;
    const codes = [];
    for (let asks = 0; asks <= 100 / points; asks += 1) {
      const answer = await client.any.timeout(5_000).emitWithAck(name, asked);
      codes.push(answer.ok ? 'ok' : answer.error.code);
    }
    expect(codes.indexOf('RATE_LIMITED')).toBe(100 / points);
    await calm.stop();
  });

  test('lose the whole connection when they leave the namespace', async () => {
    const client = await world.client(alice);
    const closed = new Promise((resolve) => client.socket.io.engine.once('close', resolve));
    client.socket.io.engine.write('41');
    await closed;
  });
});
