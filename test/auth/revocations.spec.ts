import { setTimeout as pause } from 'node:timers/promises';
import { jest } from '@jest/globals';
import pg from 'pg';
import { createIdentify } from '../../src/auth/authenticate.ts';
import { type RevokedSessions, createRevocations } from '../../src/auth/revocations.ts';
import type { Revocations } from '../../src/auth/session.ts';
import type { UserId } from '../../src/events/ids.ts';
import { toProblem } from '../../src/protocol/problem.ts';
import { newId } from '../../src/kit/uuids.ts';
import { createRevokedSessions } from '../../src/adapters/postgres/tables/sessions.ts';
import { type AuthStage, ada, authStage, eventually, silent } from '../support/stages/auth-stage.ts';

describe('A session that ends on one node', () => {
  let here: AuthStage;
  let there: AuthStage;
  beforeEach(async () => {
    here = await authStage();
    there = await authStage({ url: here.url });
    await here.registration.register(ada);
  });
  afterEach(async () => {
    await there.close();
    await here.close();
  });

  async function openSession() {
    const tokens = await here.sessions.open((await here.credentials.ofEmail(ada.email))!);
    return here.authenticate(tokens.accessToken);
  }

  test('is revoked there at once, and on the other within 5 s', async () => {
    const { sessionId } = await openSession();
    const heard: string[] = [];
    there.revocations.onRevoked((id) => heard.push(id));
    await here.sessions.end(sessionId);
    expect(here.revocations.isRevoked(sessionId)).toBe(true);
    await eventually(() => there.revocations.isRevoked(sessionId), 5_000);
    expect(heard).toStrictEqual([sessionId]);
  });

  test('is revoked on the other within 5 s even when the notification is lost', async () => {
    const { sessionId } = await openSession();
    // Without pg_notify, only the poll can find it.
    await here.pool.query('update sessions set revoked_at = now() where session_id = $1', [sessionId]);
    await eventually(() => there.revocations.isRevoked(sessionId), 5_000);
  });

  test('is announced over a new connection after the old one broke', async () => {
    const owner = new pg.Client({ connectionString: here.ownerUrl });
    await owner.connect();
    const listening = async () => {
      const { rows } = await owner.query<{ pid: number }>(
        `select pid from pg_stat_activity
         where datname = current_database() and application_name = 'ended-sessions' and query like 'listen%'`,
      );
      return rows.map(({ pid }) => pid);
    };
    await eventually(async () => (await listening()).length === 2, 5_000);
    const broken = await listening();
    for (const pid of broken) await owner.query('select pg_terminate_backend($1)', [pid]);
    await eventually(async () => {
      const pids = await listening();
      return pids.length === 2 && !pids.some((pid) => broken.includes(pid));
    }, 10_000);

    const { sessionId } = await openSession();
    await owner.query(`select pg_notify('session_revoked', $1)`, [sessionId]);
    await eventually(() => there.revocations.isRevoked(sessionId), 1_000);
    await owner.end();
  });

  test('is read within a few seconds or not at all, and next over a new connection', async () => {
    const owner = new pg.Client({ connectionString: here.ownerUrl });
    await owner.connect();
    await owner.query('begin; lock table sessions in access exclusive mode');
    const pool = new pg.Pool({ connectionString: here.url, max: 1 });
    const sessions = createRevokedSessions({ pool, url: here.url, log: silent });
    await expect(sessions.endedWithin(60)).rejects.toThrow('timeout');
    await owner.query('rollback');
    expect(await sessions.endedWithin(60)).toStrictEqual([]);
    await pool.end();
    await owner.end();
  });

  test('is known to a node that starts later', async () => {
    const { sessionId } = await openSession();
    await here.sessions.end(sessionId);
    const later = await authStage({ url: here.url });
    expect(later.revocations.isRevoked(sessionId)).toBe(true);
    await later.close();
  });
});

describe('A node that cannot read revocations', () => {
  const unreachable = { ended: ['a'], isDown: false };
  const sessions: RevokedSessions = {
    async endedWithin() {
      if (unreachable.isDown) throw new Error('out of reach');
      return unreachable.ended;
    },
    listen() {},
  };

  const start = () => createRevocations({ sessions, accessTokenSeconds: 600, log: silent, pollMs: 5 });
  const signedIn = (sessionId: string, revocations: Revocations) => {
    const session = {
      actor: { userId: newId() as UserId, role: 'applicant' },
      sessionId,
      kid: 'a key',
      expiresAt: Infinity,
    } as const;
    const accessTokens = { verify: async () => session, lifetimeSeconds: 600 };
    const sessions = { isOpen: async () => true };
    return createIdentify({ accessTokens, revocations, sessions })('token');
  };

  test('admits no user after 10 s, reports it, and recovers by itself', async () => {
    const revocations = await start();
    const now = Date.now();
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => now);
    try {
      unreachable.isDown = true;
      clock.mockImplementation(() => now + 9_500);
      expect(revocations.isHealthy()).toBe(true);
      expect(await signedIn('b', revocations)).toMatchObject({ sessionId: 'b' });
      await expect(signedIn('a', revocations)).rejects.toThrow('TOKEN_REVOKED');
      clock.mockImplementation(() => now + 10_500);
      expect(revocations.isHealthy()).toBe(false);
      expect(revocations.staleMs()).toBeGreaterThan(10_000);
      const refusal: unknown = await signedIn('b', revocations).catch((error: unknown) => error);
      expect(toProblem(refusal)).toMatchObject({ status: 503, code: 'UNAVAILABLE', retryable: true });
      await expect(signedIn('a', revocations)).rejects.toThrow('TOKEN_REVOKED');
    } finally {
      clock.mockRestore();
    }
    unreachable.ended = ['a', 'b'];
    unreachable.isDown = false;
    await eventually(() => revocations.isRevoked('b'), 2_000);
    expect(await signedIn('c', revocations)).toMatchObject({ sessionId: 'c' });
    await revocations.stop();
  });

  test.each([
    ['the clock is set back', Date],
    ['the machine sleeps', performance],
  ])('does not consider itself up to date because %s', async (_, clockBehind) => {
    const revocations = await start();
    unreachable.isDown = true;
    const ahead = clockBehind === Date ? performance : Date;
    const [behindNow, aheadNow] = [clockBehind.now(), ahead.now()];
    const clocks = [
      jest.spyOn(clockBehind, 'now').mockImplementation(() => behindNow - 3_600_000),
      jest.spyOn(ahead, 'now').mockImplementation(() => aheadNow + 11_000),
    ];
    try {
      expect(revocations.isHealthy()).toBe(false);
    } finally {
      for (const clock of clocks) clock.mockRestore();
      unreachable.isDown = false;
      await revocations.stop();
    }
  });

  test('does not start', async () => {
    unreachable.isDown = true;
    await expect(createRevocations({ sessions, accessTokenSeconds: 600, log: silent })).rejects.toThrow(
      'out of reach',
    );
  });
});

test('An ended session is forgotten once its last access token has expired', async () => {
  const asked: number[] = [];
  const ended = ['a'];
  const sessions: RevokedSessions = {
    async endedWithin(seconds) {
      asked.push(seconds);
      return ended.splice(0);
    },
    listen() {},
  };
  const revocations = await createRevocations({ sessions, accessTokenSeconds: 600, log: silent, pollMs: 5 });
  expect(asked).toStrictEqual([660]);
  expect(revocations.isRevoked('a')).toBe(true);
  const now = Date.now();
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => now + 661_000);
  try {
    // Not eventually(), which uses the stopped clock.
    while (revocations.isRevoked('a')) await pause(5);
  } finally {
    clock.mockRestore();
    await revocations.stop();
  }
});
