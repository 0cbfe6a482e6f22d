import Fastify, { type FastifyInstance } from 'fastify';
import { refuseSlowly } from '../../../src/http/hooks/slow-refusals.ts';
import { until } from '../../../tools/until.ts';

const AT_ONCE = 3;
const MOST_HELD = 2;

describe('the refusals of a persistent caller', () => {
  let app: FastifyInstance;
  let url: string;
  let held: { answer: Promise<unknown>; giveUp: () => void }[] = [];
  let arrived = 0;

  beforeEach(async () => {
    arrived = 0;
    app = Fastify({ trustProxy: true, forceCloseConnections: true });
    app.addHook('onSend', async () => void (arrived += 1));
    // Far longer than any test: a delayed refusal is never sent.
    refuseSlowly(app, { atOnce: AT_ONCE, delayMs: 3_600_000, mostHeld: MOST_HELD });
    app.get('/:status', async (request, reply) =>
      reply.code(Number((request.params as { status: string }).status)).send({}),
    );
    url = await app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterEach(async () => {
    for (const { giveUp } of held) giveUp();
    await Promise.all(held.map(({ answer }) => answer));
    held = [];
    await app.close();
  });

  const call = (status: number, from: string, signal = AbortSignal.timeout(20_000)) =>
    fetch(`${url}/${status}`, { headers: { 'x-forwarded-for': from }, signal });

  async function isHeld(from: string) {
    const leaving = new AbortController();
    const before = arrived;
    const answer = call(429, from, leaving.signal).catch(() => 'gave up');
    held.push({ answer, giveUp: () => leaving.abort() });
    await until(() => arrived > before, 'the refusal');
    return held.at(-1)!;
  }

  async function refusedAtOnce(from: string) {
    for (let n = 0; n < AT_ONCE; n += 1) expect((await call(429, from)).status).toBe(429);
  }

  test('are delayed after the first few, unlike refusals of other callers and other answers', async () => {
    await refusedAtOnce('192.0.2.1');
    const { answer } = await isHeld('192.0.2.1');
    await refusedAtOnce('192.0.2.2');
    for (const status of [200, 403, 503]) expect((await call(status, '192.0.2.1')).status).toBe(status);
    expect(await Promise.race([answer, Promise.resolve('not yet')])).toBe('not yet');
  });

  test('close the connection when too many are delayed, until one of the callers disconnects', async () => {
    await refusedAtOnce('192.0.2.1');
    const first = await isHeld('192.0.2.1');
    await isHeld('192.0.2.1');
    const refused = await call(429, '192.0.2.1');
    expect([refused.status, refused.headers.get('connection')]).toEqual([429, 'close']);
    first.giveUp();
    expect(await first.answer).toBe('gave up');
    const again = async () => {
      const leaving = new AbortController();
      const answer = call(429, '192.0.2.1', leaving.signal).then(
        ({ headers }) => headers.get('connection'),
        () => 'held',
      );
      const isClosed = await Promise.race([answer, answerOfAnother()]);
      leaving.abort();
      return isClosed !== 'close';
    };
    const answerOfAnother = async () => {
      await call(200, '192.0.2.9');
      await call(200, '192.0.2.9');
      return 'held';
    };
    await until(again, 'a place for another one');
  });
});
