import { decodeJwt } from 'jose';
import pg from 'pg';
import { AuthenticationFailed } from '../../src/auth/session.ts';
import { deleteInSlices } from '../../src/adapters/postgres/delete-in-slices.ts';
import { EXPIRED } from '../../src/adapters/postgres/housekeeping.ts';
import { type AuthStage, ada, authStage, CONNECTIONS, eventually } from '../support/stages/auth-stage.ts';

let stage: AuthStage;
beforeEach(async () => {
  stage = await authStage();
  await stage.registration.register(ada);
});
afterEach(() => stage.close());

const open = async () => stage.sessions.open((await stage.credentials.ofEmail(ada.email))!);
const refresh = async (token: string) => (await stage.sessions.refresh(token)).tokens;
const faultOf = (work: Promise<unknown>) =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error instanceof AuthenticationFailed ? error.code : error),
  );
const passes = (seconds: number) =>
  stage.pool.query(
    `with aged as (update sessions set expires_at = expires_at - make_interval(secs => $1))
     update refresh_tokens set rotated_at = rotated_at - make_interval(secs => $1)`,
    [seconds],
  );

describe('A session', () => {
  test('issues an access token and an opaque refresh token', async () => {
    const { accessToken, refreshToken, expiresIn } = await open();
    expect(expiresIn).toBe(600);
    expect(refreshToken).toMatch(/^[\w-]{43}$/);
    const session = await stage.authenticate(accessToken);
    expect(session.actor.role).toBe('applicant');
    expect(session.sessionId).not.toBe((await stage.authenticate((await open()).accessToken)).sessionId);
  });

  test('stores no usable refresh token in its table', async () => {
    const { refreshToken } = await open();
    const { refreshToken: child } = await refresh(refreshToken);
    const { rows } = await stage.pool.query<{ row: string }>('select t::text as row from refresh_tokens t');
    const table = rows.map(({ row }) => row).join('\n');
    expect(rows).toHaveLength(2);
    for (const token of [refreshToken, child]) {
      expect(table).not.toContain(token);
      expect(table).not.toContain(Buffer.from(token, 'base64url').toString('hex'));
    }
  });

  test('keeps its id when it is refreshed', async () => {
    const first = await open();
    const second = await refresh(first.refreshToken);
    const third = await refresh(second.refreshToken);
    expect(new Set([first, second, third].map(({ refreshToken }) => refreshToken)).size).toBe(3);
    expect(new Set([first, second, third].map(({ accessToken }) => decodeJwt(accessToken)['sid'])).size).toBe(
      1,
    );
    expect((await stage.authenticate(third.accessToken)).actor.role).toBe('applicant');
  });

  test('ends at once with its logout, for refresh and access tokens alike; others continue', async () => {
    const [one, other] = [await open(), await open()];
    const { sessionId } = await stage.authenticate(one.accessToken);
    await stage.sessions.end(sessionId);
    expect(await faultOf(stage.authenticate(one.accessToken))).toBe('TOKEN_REVOKED');
    expect(await faultOf(refresh(one.refreshToken))).toBe('REFRESH_TOKEN_INVALID');
    expect(await faultOf(refresh(other.refreshToken))).toBe('accepted');
  });

  test('is deleted with its tokens once expired', async () => {
    await open();
    await passes(31 * 24 * 60 * 60);
    await open();
    const expired = EXPIRED.find(({ table }) => table === 'sessions')!;
    expect(await deleteInSlices(stage.pool, expired, { now: new Date() })).toBe(1);
    const { rows } = await stage.pool.query(
      'select count(*)::int as sessions, (select count(*)::int from refresh_tokens) as tokens from sessions',
    );
    expect(rows).toStrictEqual([{ sessions: 1, tokens: 1 }]);
  });
});

describe('A refresh token', () => {
  test('has one successor when presented fifty times concurrently, and the session continues', async () => {
    const { refreshToken } = await open();
    // As the owner: the application may not see the waits of others.
    const holder = new pg.Client({ connectionString: stage.ownerUrl });
    const observer = new pg.Client({ connectionString: stage.ownerUrl });
    await Promise.all([holder.connect(), observer.connect()]);
    await holder.query('begin');
    await holder.query('select from sessions for update');
    const asked = Promise.all(Array.from({ length: 50 }, () => refresh(refreshToken)));
    // Every connection is in the transaction before the first can continue.
    await eventually(async () => {
      const { rows } = await observer.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length === CONNECTIONS;
    }, 10_000);
    await holder.query('commit');
    await Promise.all([holder.end(), observer.end()]);
    const answers = await asked;
    const [child, ...others] = new Set(answers.map((answer) => answer.refreshToken));
    expect(others).toHaveLength(0);
    expect(await faultOf(refresh(child!))).toBe('accepted');
  });

  test('may be presented again within 10 minutes, since the answer may have been lost', async () => {
    const { refreshToken } = await open();
    const first = await refresh(refreshToken);
    await passes(599);
    expect((await refresh(refreshToken)).refreshToken).toBe(first.refreshToken);
  });

  test('revokes the whole session when presented again later', async () => {
    const { refreshToken } = await open();
    const { refreshToken: child, accessToken } = await refresh(refreshToken);
    await passes(601);
    expect(await faultOf(refresh(refreshToken))).toBe('REFRESH_TOKEN_INVALID');
    expect(await faultOf(refresh(child))).toBe('REFRESH_TOKEN_INVALID');
    expect(await faultOf(stage.authenticate(accessToken))).toBe('TOKEN_REVOKED');
  });

  test('of an older generation revokes the whole session, however early', async () => {
    const first = await open();
    const second = await refresh(first.refreshToken);
    const third = await refresh(second.refreshToken);
    expect(await faultOf(refresh(first.refreshToken))).toBe('REFRESH_TOKEN_INVALID');
    expect(await faultOf(refresh(third.refreshToken))).toBe('REFRESH_TOKEN_INVALID');
    expect(await faultOf(stage.authenticate(third.accessToken))).toBe('TOKEN_REVOKED');
  });

  test('lives 30 days from the last refresh', async () => {
    const first = await open();
    await passes(29 * 24 * 60 * 60);
    const second = await refresh(first.refreshToken);
    await passes(29 * 24 * 60 * 60);
    const third = await refresh(second.refreshToken);
    await passes(31 * 24 * 60 * 60);
    expect(await faultOf(refresh(third.refreshToken))).toBe('REFRESH_TOKEN_INVALID');
  });

  test('has no effect when it is unknown, empty or an access token', async () => {
    const { accessToken, refreshToken } = await open();
    for (const wrong of ['', 'A'.repeat(43), accessToken, `${refreshToken}A`])
      expect(await faultOf(refresh(wrong))).toBe('REFRESH_TOKEN_INVALID');
    expect(await faultOf(stage.authenticate(refreshToken))).toBe('TOKEN_INVALID');
    expect(await faultOf(refresh(refreshToken))).toBe('accepted');
  });
});

describe('A suspended account', () => {
  const suspend = async () => stage.credentials.suspend((await stage.credentials.ofEmail(ada.email))!.userId);

  test('has no sessions, and opens none until it is restored', async () => {
    const credential = (await stage.credentials.ofEmail(ada.email))!;
    const [first, second] = [await open(), await open()];
    expect(await suspend()).toHaveLength(2);
    expect(await suspend()).toBeUndefined();
    for (const { accessToken, refreshToken } of [first, second]) {
      await eventually(
        async () => (await faultOf(stage.authenticate(accessToken))) === 'TOKEN_REVOKED',
        5_000,
      );
      expect(await faultOf(refresh(refreshToken))).toBe('REFRESH_TOKEN_INVALID');
    }
    // A login that checked the password before the suspension.
    expect(await faultOf(stage.sessions.open(credential))).toBe('BAD_CREDENTIALS');

    expect(await stage.credentials.restore(credential.userId)).toBe(true);
    expect(await stage.credentials.restore(credential.userId)).toBe(false);
    expect(await faultOf(stage.sessions.open(credential))).toBe('accepted');
  });

  test('is told so after the right password only', async () => {
    await suspend();
    const logIn = (password: string) =>
      faultOf(stage.logIn({ email: ada.email, password, address: '192.0.2.1' }));
    expect(await logIn('a guess')).toBe('BAD_CREDENTIALS');
    expect(await logIn(ada.password)).toBe('ACCOUNT_SUSPENDED');
  });
});
