import type pg from 'pg';
import type { RevokedSessions } from '../../../auth/revocations.ts';
import {
  GRACE_SECONDS,
  type OpenSession,
  REFRESH_DAYS,
  type Rotation,
  type SessionStore,
} from '../../../auth/sessions.ts';
import { listen } from '../listen.ts';
import type { Logger } from 'pino';

/** A connection that does not answer is abandoned, so that the next read uses another one. */
const READ_DEADLINE_MS = 2_000;
const LISTED = 1_000;

/** Creates the store of sessions and their refresh tokens in PostgreSQL. */
export function createSessionStore(pool: pg.Pool): SessionStore {
  return {
    async open({ sessionId, userId, passwordVersion, tokenHash, userAgent }) {
      // The lock makes it wait for a change of the password, or a suspension: both end all earlier sessions.
      const { rowCount } = await pool.query(
        `with account as (
           select user_id from credentials where user_id = $2 and password_version = $3 and suspended_at is null for share),
         opened as (
           insert into sessions (session_id, user_id, expires_at, user_agent)
           select $1, user_id, now() + make_interval(days => $5), $6 from account returning session_id)
         insert into refresh_tokens (token_hash, session_id) select $4, session_id from opened`,
        [sessionId, userId, passwordVersion, tokenHash, REFRESH_DAYS, userAgent],
      );
      return rowCount === 1;
    },
    async rotate(presented, child) {
      const { rows } = await pool.query<Rotation>(
        `select outcome, session_id as "sessionId", user_id as "userId"
         from rotate_refresh_token($1, $2, make_interval(secs => $3), make_interval(days => $4))`,
        [presented, child, GRACE_SECONDS, REFRESH_DAYS],
      );
      return rows[0]!;
    },
    async isOpen(sessionId) {
      const { rowCount } = await pool.query(
        'select from sessions where session_id = $1 and revoked_at is null and expires_at > now()',
        [sessionId],
      );
      return rowCount === 1;
    },
    async revoke(sessionId) {
      await pool.query('select revoke_session($1)', [sessionId]);
    },
    async revokeOneOf(userId, sessionId) {
      const { rows } = await pool.query<{ ended: boolean }>(
        `select revoke_session(session_id) as ended from sessions
         where session_id = $2 and user_id = $1 and expires_at > now()`,
        [userId, sessionId],
      );
      return rows[0]?.ended ?? false;
    },
    async ofUser(userId) {
      // A session ends `REFRESH_DAYS` days after its last use; one that a client has opened, earlier.
      const { rows } = await pool.query<OpenSession>(
        `select session_id as "sessionId", created_at as "createdAt", user_agent as "userAgent",
           greatest(created_at, expires_at - make_interval(days => $2)) as "lastUsedAt"
         from sessions where user_id = $1 and revoked_at is null and expires_at > now()
         order by expires_at desc, session_id limit ${LISTED}`,
        [userId, REFRESH_DAYS],
      );
      return rows;
    },
    async revokeAllOf(userId) {
      const { rows } = await pool.query<{ session_id: string }>(
        `with open as materialized (select session_id from sessions where user_id = $1 and revoked_at is null)
         select session_id from open where revoke_session(session_id)`,
        [userId],
      );
      return rows.map((row) => row.session_id);
    },
  };
}

/**
 * Creates the port to the sessions of users and clients that ended, on any node. It reads through the pool, and listens on its own
 * connection to `url`.
 */
export function createRevokedSessions({
  pool,
  url,
  log,
}: {
  pool: pg.Pool;
  url: string;
  log: Logger;
}): RevokedSessions {
  return {
    async endedWithin(seconds) {
      const query: pg.QueryConfig & { query_timeout: number } = {
        text: `select session_id from (
            select session_id, revoked_at from sessions where revoked_at > now() - make_interval(secs => $1)
            union all
            select session_id, revoked_at from client_sessions where revoked_at > now() - make_interval(secs => $1)
          ) ended order by revoked_at`,
        values: [seconds],
        query_timeout: READ_DEADLINE_MS,
      };
      const { rows } = await pool.query<{ session_id: string }>(query);
      return rows.map((row) => row.session_id);
    },
    listen: (onEnded, signal) =>
      void listen({
        url,

        channel: 'session_revoked',
        applicationName: 'ended-sessions',
        log,
        onNotification: onEnded,
        signal,
      }),
  };
}
