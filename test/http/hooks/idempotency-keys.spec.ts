import { randomUUID } from 'node:crypto';
import {
  acme,
  ada,
  groupCreated,
  groupId,
  jobPosted,
  registered,
} from '../../support/language/example-events.ts';
import { httpStage } from '../../support/stages/http-stage.ts';

const posting = { title: 'Engineer', description: 'Builds engines' };
const keyed = (key: string) => ({ 'idempotency-key': key });

describe('Idempotency-Key', () => {
  let stage: Awaited<ReturnType<typeof httpStage>>;
  beforeAll(async () => {
    stage = await httpStage({ history: [registered(acme), registered(ada), jobPosted, groupCreated] });
  });
  afterAll(() => stage.close());

  const post = (key: string, body: unknown = posting, path = '/v1/jobs', as = acme) =>
    stage.ask('POST', path, { as, body, headers: keyed(key) });
  /** Makes the first request look as if it had been killed `ago`. */
  const die = (key: string, ago: string) =>
    stage.pool.query(
      `update idempotency_keys set status = null, body = null, claimed_at = now() - $2::interval where key = $1`,
      [key, ago],
    );

  test('returns the same answer for the same key and body, and posts one job', async () => {
    const key = randomUUID();
    const before = (await stage.wholeLog()).length;
    const first = await post(key);
    const second = await post(key);
    expect(first.status).toBe(201);
    expect(first.headers).not.toHaveProperty('idempotency-replayed');
    expect(second).toMatchObject({ status: 201, text: first.text });
    expect(second.headers).toMatchObject({
      'idempotency-replayed': 'true',
      'content-type': first.headers['content-type'],
    });
    expect(await stage.wholeLog()).toHaveLength(before + 1);
  });

  test('ignores the order of fields, quotes around the key, and the alias of a path', async () => {
    const key = randomUUID();
    const first = await post(key);
    const second = await post(`"${key}"`, { description: 'Builds engines', title: 'Engineer' }, '/jobs');
    expect(second).toMatchObject({ status: 201, text: first.text });
  });

  test('answers 422 to the same key with another body or for another operation', async () => {
    const key = randomUUID();
    await post(key);
    expect((await post(key, { ...posting, title: 'Other' })).body).toMatchObject({
      status: 422,
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    const addition = { userId: ada.userId };
    expect((await post(key, addition, `/v1/groups/${groupId}/members`)).body).toMatchObject({ status: 422 });
  });

  test('is scoped to the user', async () => {
    const key = randomUUID();
    await post(key);
    expect((await post(key, posting, '/v1/jobs', ada)).body).toMatchObject({ code: 'ROLE_NOT_ALLOWED' });
  });

  test('replays a refusal like any other answer', async () => {
    const key = randomUUID();
    const first = await post(key, posting, '/v1/jobs', ada);
    const second = await post(key, posting, '/v1/jobs', ada);
    expect(second).toMatchObject({ status: 403, text: first.text });
    expect(second.headers).toMatchObject({
      'idempotency-replayed': 'true',
      'content-type': 'application/problem+json',
    });
  });

  test('runs one of 20 concurrent requests with the same key; the others get its answer or are told to wait', async () => {
    const key = randomUUID();
    const before = (await stage.wholeLog()).length;
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(key)));
    const codes = new Set(answers.map(({ status, body }) => (status === 201 ? body['jobId'] : body['code'])));
    expect(
      answers.filter(({ headers, status }) => status === 201 && !headers['idempotency-replayed']),
    ).toHaveLength(1);
    expect([...codes].filter((code) => code !== 'IDEMPOTENCY_KEY_IN_USE')).toHaveLength(1);
    expect(await stage.wholeLog()).toHaveLength(before + 1);
  });

  test('is in use when its first request was killed less than 30 s ago', async () => {
    const key = randomUUID();
    await post(key);
    await die(key, '29 seconds');
    const second = await post(key);
    expect(second.body).toMatchObject({ status: 409, code: 'IDEMPOTENCY_KEY_IN_USE', retryable: true });
    expect(second.headers['retry-after']).toBe('1');
  });

  test('is free after 30 s, and a repetition returns the first outcome', async () => {
    const key = randomUUID();
    const before = (await stage.wholeLog()).length;
    const first = await post(key);
    await die(key, '31 seconds');
    const second = await post(key);
    expect(second).toMatchObject({ status: 201, body: first.body });
    expect(second.headers).not.toHaveProperty('idempotency-replayed');
    expect(await stage.wholeLog()).toHaveLength(before + 1);
  });

  test('keeps an answer for 24 h', async () => {
    const key = randomUUID();
    await post(key);
    await stage.pool.query(
      `update idempotency_keys set claimed_at = now() - interval '24 hours 1 second' where key = $1`,
      [key],
    );
    expect((await post(key, { ...posting, title: 'Other' })).status).toBe(201);
  });

  test('does not keep a temporary failure: the repetition runs', async () => {
    let isDown = true;
    const other = await httpStage({
      databaseUrl: stage.url,
      rateLimits: {
        consume: async () => {
          if (isDown) throw Object.assign(new Error('too many connections'), { code: '53300' });
          return { bucket: 'messages', limit: 1, windowSeconds: 60, remaining: 0, resetMs: 1 };
        },
        check: () => Promise.reject(new Error('not asked')),
        spend: () => {
          throw new Error('not asked');
        },
      },
      history: [groupCreated],
    });
    const message = { clientMsgId: randomUUID(), text: 'Hello' };
    const send = () =>
      other.ask('POST', `/v1/groups/${groupId}/messages`, {
        as: acme,
        body: message,
        headers: keyed('again'),
      });
    expect((await send()).body).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    isDown = false;
    expect((await send()).status).toBe(201);
    await other.close();
  });

  test.each(['', '"', 'ümlaut', 'x'.repeat(256), `"${'x'.repeat(256)}"`, ' '])(
    'rejects the key %j',
    async (key) => {
      expect((await post(key)).body).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    },
  );

  test('stores only a fingerprint of the request', async () => {
    await post(randomUUID(), { ...posting, title: 'Canary' });
    const { rows } = await stage.pool.query<{ row: string }>('select k::text as row from idempotency_keys k');
    expect(rows.filter(({ row }) => row.includes('Canary'))).toHaveLength(0);
  });
});
