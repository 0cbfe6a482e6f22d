import { randomUUID } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { io } from 'socket.io-client';
import pg from 'pg';
import { until } from '../../../../tools/until.ts';
import { type Answer, type Person, type TestApp, startApp } from '../../../support/stages/app.ts';

const reason = 'Writes to everybody';
const refusal = ({ status, body }: Answer) => [status, body['code']];

let app: TestApp;
let operator: Person;
let database: pg.Client;
beforeAll(async () => {
  app = await startApp();
  operator = await app.hireOperator();
  database = new pg.Client({ connectionString: app.databaseUrl });
  await database.connect();
}, 60_000);
afterAll(async () => {
  await database?.end();
  await app?.stop();
});

const act = (
  path: string,
  { as = operator, body = {}, key }: { as?: Person; body?: object; key?: string } = {},
) =>
  app.ask('POST', `/v1/admin/users/${path}`, {
    as,
    body: { reason, ...body },
    headers: key === undefined ? {} : { 'idempotency-key': key },
  });
const account = async ({ userId }: Person) =>
  (await app.ask('GET', `/v1/admin/users/${userId}`, { as: operator })).body as Record<string, unknown> & {
    sessions: { sessionId: string }[];
  };
/** Resolves with the acts of operators that are on record, as an auditor reads them. */
async function acts(auditor: Person): Promise<Record<string, unknown>[]> {
  const { text } = await app.ask('GET', '/v1/audit/events?type=OperatorActed', { as: auditor });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { data?: Record<string, unknown> })
    .flatMap(({ data }) => (data ? [data] : []));
}
const socketOf = ({ accessToken }: Person) =>
  io(app.url, { auth: { token: accessToken }, transports: ['websocket'], reconnection: false });

/** Nothing that anybody could read: spaces, a control, a zero-width space, the blank of Braille. */
const NOTHING = ['   ', '\n\t', '\u0007', '\u200b', '\u2800'];

describe('the reason of an act', () => {
  test('shows something', async () => {
    const ada = await app.register('applicant', 'Ada');
    for (const nothing of NOTHING)
      expect(await act(`${ada.userId}/suspend`, { body: { reason: nothing } })).toMatchObject({
        ...{ status: 400, body: { errors: [{ pointer: '/reason' }] } },
      });
    expect(await account(ada)).toMatchObject({ isSuspended: false });
  });

  test('is up to 1,000 characters of any script', async () => {
    const ada = await app.register('applicant', 'Ada');
    const suspend = (given: string) => act(`${ada.userId}/suspend`, { body: { reason: given } });
    expect(await suspend('😀'.repeat(1_001))).toMatchObject({ status: 400 });
    const auditor = await app.hireAuditor();
    for (const given of ['😀'.repeat(1_000), 'شكوى\u0301 '.repeat(160).trim()]) {
      expect(await suspend(given)).toMatchObject({ status: 200 });
      expect((await acts(auditor)).map((done) => done['reason'])).toContain(given);
    }
  });
});

describe('suspending a user', () => {
  test('ends its sessions and sockets, keeps it out, and is undone', async () => {
    const ada = await app.register('applicant', 'Ada');
    const socket = socketOf(ada);
    await until(() => socket.connected, 'the socket is open');
    const { status, body } = await act(`${ada.userId}/suspend`);
    expect([status, body]).toMatchObject([200, { actId: expect.any(String), endedSessions: 1 }]);
    await until(() => socket.disconnected, 'the socket has ended');
    expect(refusal(await app.ask('GET', '/v1/me', { as: ada }))).toEqual([401, 'TOKEN_REVOKED']);
    await expect(app.logIn(ada)).rejects.toThrow('ACCOUNT_SUSPENDED');
    expect(await account(ada)).toMatchObject({ isSuspended: true, sessions: [] });

    expect((await act(`${ada.userId}/restore`)).status).toBe(200);
    expect(await account(ada)).toMatchObject({ isSuspended: false });
    expect((await app.ask('GET', '/v1/me', { as: await app.logIn(ada) })).status).toBe(200);
  });

  test('again changes nothing, and is on record again', async () => {
    const ada = await app.register('applicant', 'Ada');
    await act(`${ada.userId}/suspend`);
    expect((await act(`${ada.userId}/suspend`)).body).toMatchObject({ endedSessions: 0 });
    expect(await account(ada)).toMatchObject({ isSuspended: true });
  });

  test('is refused to oneself and for users who are not there', async () => {
    expect(refusal(await act(`${operator.userId}/suspend`))).toEqual([409, 'OWN_ACCOUNT']);
    expect(refusal(await act(`${randomUUID()}/suspend`))).toEqual([404, 'USER_NOT_FOUND']);
    expect(refusal(await act(`${operator.userId}/reset-second-factor`))).toEqual([409, 'OWN_ACCOUNT']);
  });

  test('leaves one operator, whatever two of them do at once', async () => {
    const [one, other] = [await app.hireOperator(), await app.hireOperator()];
    expect((await act(`${operator.userId}/suspend`, { as: one })).status).toBe(200);
    const answers = await Promise.all([
      act(`${one.userId}/suspend`, { as: other }),
      act(`${other.userId}/suspend`, { as: one }),
    ]);
    const { rows } = await database.query<{ user_id: string }>(
      `select user_id from credentials where role = 'admin' and suspended_at is null`,
    );
    expect(rows).toHaveLength(1);
    expect(answers.map(({ status }) => status)).toContain(200);
    const [left] = [one, other].filter(({ userId }) => rows[0]!.user_id === userId);
    expect((await act(`${operator.userId}/restore`, { as: left! })).status).toBe(200);
    operator = await app.logIn(operator);
  });
});

describe('an act', () => {
  test('is on record once for a key, with its reason, and its effect is repeated', async () => {
    const auditor = await app.hireAuditor();
    const ada = await app.register('applicant', 'Ada');
    const key = randomUUID();
    const first = await act(`${ada.userId}/suspend`, { key });
    expect((await act(`${ada.userId}/suspend`, { key })).body).toEqual(first.body);
    // As after a crash between the event and its effect, when no answer was kept.
    await database.query('delete from idempotency_keys');
    await database.query('update credentials set suspended_at = null where user_id = $1', [ada.userId]);
    const repeated = await act(`${ada.userId}/suspend`, { key });
    expect(repeated.body).toMatchObject({ actId: first.body['actId'], position: first.body['position'] });
    expect(await account(ada)).toMatchObject({ isSuspended: true });
    const about = (await acts(auditor)).filter(
      ({ act: each }) => (each as { userId?: string }).userId === ada.userId,
    );
    expect(about).toEqual([
      {
        ...{ actId: first.body['actId'], operatorId: operator.userId, reason },
        act: { kind: 'suspendUser', userId: ada.userId },
      },
    ]);
  });

  test('that is refused is not on record', async () => {
    const auditor = await app.hireAuditor();
    const before = (await acts(auditor)).length;
    await act(`${operator.userId}/suspend`);
    await act(`${randomUUID()}/restore`);
    expect(await acts(auditor)).toHaveLength(before);
  });

  test.each([{}, { reason: '' }, { reason: 'x'.repeat(1_001) }, { reason, extra: 1 }])(
    'needs a reason and nothing else (case %#)',
    async (body) => {
      const ada = await app.register('applicant', 'Ada');
      const answer = await app.ask('POST', `/v1/admin/users/${ada.userId}/suspend`, { as: operator, body });
      expect(refusal(answer)).toEqual([400, 'BAD_REQUEST']);
    },
  );
});

describe('the sessions of a user', () => {
  test('end one by one, or all at once', async () => {
    const ada = await app.register('applicant', 'Ada');
    const again = await app.logIn(ada);
    const { sessions } = await account(ada);
    expect(sessions).toHaveLength(2);
    const sessionId = sessions[0]!.sessionId;
    const path = `${ada.userId}/end-sessions`;
    expect((await act(path, { body: { sessionId } })).body).toMatchObject({ endedSessions: 1 });
    expect((await account(ada)).sessions.map((each) => each.sessionId)).toEqual([sessions[1]!.sessionId]);
    expect(refusal(await act(path, { body: { sessionId } }))).toEqual([404, 'SESSION_NOT_FOUND']);
    expect((await act(path)).body).toMatchObject({ endedSessions: 1 });
    for (const as of [ada, again])
      expect(refusal(await app.ask('GET', '/v1/me', { as }))).toEqual([401, 'TOKEN_REVOKED']);
    expect((await app.ask('GET', '/v1/me', { as: await app.logIn(ada) })).status).toBe(200);
  });

  test('of others are not ended by their ids', async () => {
    const [ada, bob] = [await app.register('applicant', 'Ada'), await app.register('applicant', 'Bob')];
    const [{ sessionId }] = (await account(bob)).sessions as [{ sessionId: string }];
    expect(refusal(await act(`${ada.userId}/end-sessions`, { body: { sessionId } }))).toEqual([
      ...[404, 'SESSION_NOT_FOUND'],
    ]);
    expect((await account(bob)).sessions).toHaveLength(1);
  });
});

describe('the second factor and the address of a user', () => {
  test('are removed and vouched for', async () => {
    const ada = await app.register('applicant', 'Ada');
    expect(await account(ada)).toMatchObject({ hasSecondFactor: false, emailVerified: false });
    expect(refusal(await act(`${ada.userId}/reset-second-factor`))).toEqual([409, 'TOTP_NOT_SET_UP']);
    const { body } = await app.ask('POST', '/v1/me/totp', { as: ada, body: { password: ada.password } });
    const code = TOTP.generate({ secret: Secret.fromBase32(String(body['secret'])) });
    await app.ask('POST', '/v1/me/totp/confirm', { as: ada, body: { code } });
    expect(await account(ada)).toMatchObject({ hasSecondFactor: true });
    expect((await act(`${ada.userId}/reset-second-factor`)).status).toBe(200);
    expect((await act(`${ada.userId}/verify-email`)).status).toBe(200);
    expect(await account(ada)).toMatchObject({ hasSecondFactor: false, emailVerified: true });
  });

  test('are not vouched for without an address', async () => {
    const ada = await app.register('applicant', 'Ada');
    await database.query('update credentials set email = null, password_hash = null where user_id = $1', [
      ada.userId,
    ]);
    expect(refusal(await act(`${ada.userId}/verify-email`))).toEqual([409, 'NO_EMAIL_ADDRESS']);
  });
});

test('An operator without a second factor only sets one up, where it is required', async () => {
  const strict = await startApp({ OPERATOR_TOTP: 'required' });
  try {
    const grace = await strict.hireOperator();
    const company = await strict.register('company', 'Acme');
    const list = () => strict.ask('GET', '/v1/admin/users', { as: grace });
    expect(refusal(await list())).toEqual([403, 'SECOND_FACTOR_REQUIRED']);
    expect(refusal(await strict.ask('GET', '/v1/admin/users', { as: company }))).toEqual([
      403,
      'ROLE_NOT_ALLOWED',
    ]);
    const { body } = await strict.ask('POST', '/v1/me/totp', {
      as: grace,
      body: { password: grace.password },
    });
    const code = TOTP.generate({ secret: Secret.fromBase32(String(body['secret'])) });
    await strict.ask('POST', '/v1/me/totp/confirm', { as: grace, body: { code } });
    expect((await list()).status).toBe(200);
  } finally {
    await strict.stop();
  }
}, 60_000);
