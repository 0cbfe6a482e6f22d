import pg from 'pg';
import type { BoardUserStore, StoredBoardUser } from '../../../auth/clients/board-users.ts';
import { newId } from '../../../kit/uuids.ts';
import { POST_VERIFICATION } from '../notifications/account-letters.ts';
import { UNIQUE_VIOLATION, unlessTaken } from './credentials.ts';

const ADD = `
  with added as (
    insert into credentials (user_id, email, role, display_name, email_verified_at)
    values ($2, $3, $4, $5, case when $6 then now() end)
    returning user_id, email, email_verified_at
  ), named as (
    insert into client_users (client_id, external_id, user_id) select $7, $8, user_id from added
  )
  select case when email is not null and email_verified_at is null
    then ${POST_VERIFICATION('$1', 'email', 'user_id')} end from added`;

/** The address that was asked for before does not take its place any more. */
const SET_EMAIL = `
  with changed as (
    update credentials set email = $3, new_email = null, email_verified_at = case when $4 then now() end
    where user_id = $2 returning user_id, email, email_verified_at
  )
  select case when email_verified_at is null then ${POST_VERIFICATION('$1', 'email', 'user_id')} end from changed`;

const isTakenName = (error: unknown): boolean =>
  error instanceof pg.DatabaseError &&
  error.code === UNIQUE_VIOLATION &&
  error.constraint === 'client_users_pkey';

/** Creates the store of the accounts that clients have made, in PostgreSQL. */
export function createBoardUserStore(pool: pg.Pool): BoardUserStore {
  return {
    async find(clientId, externalId) {
      const { rows } = await pool.query<StoredBoardUser>(
        `select c.user_id as "userId", c.role, c.display_name as "displayName", c.email,
           c.email_verified_at is not null as "emailVerified", c.registered
         from client_users u join credentials c using (user_id)
         where u.client_id = $1 and u.external_id = $2`,
        [clientId, externalId],
      );
      return rows[0];
    },
    async add(clientId, externalId, { userId, email, role, displayName, emailVerified }) {
      const values = [newId(), userId, email, role, displayName, emailVerified, clientId, externalId];
      try {
        await unlessTaken(pool.query(ADD, values));
        return true;
      } catch (error) {
        if (isTakenName(error)) return false;
        throw error;
      }
    },
    async setEmail(userId, email, isVerified) {
      await unlessTaken(pool.query(SET_EMAIL, [newId(), userId, email, isVerified]));
    },
    async ofUser(userId) {
      const { rows } = await pool.query<NonNullable<Awaited<ReturnType<BoardUserStore['ofUser']>>>>(
        `select u.client_id as "clientId", c.role, c.suspended_at is not null as "isSuspended"
         from credentials c left join client_users u using (user_id) where c.user_id = $1`,
        [userId],
      );
      return rows[0];
    },
    async deactivate(userId, clientId) {
      const { rows } = await pool.query<{ ended: string[] }>('select deactivate_account($1, $2) as ended', [
        userId,
        clientId,
      ]);
      return rows[0]!.ended;
    },
    async reactivate(userId) {
      const { rowCount } = await pool.query(
        `update credentials set suspended_at = null, deactivated_by = null
         where user_id = $1 and (suspended_at is null or deactivated_by is not null)`,
        [userId],
      );
      return rowCount === 1;
    },
    async openSession({ sessionId, userId, clientId, lifetimeSeconds, userAgent }) {
      // The locks make it wait for a suspension, and for the end of the client: both end all earlier sessions.
      const { rowCount } = await pool.query(
        `with client as (select client_id from clients where client_id = $3 and disabled_at is null for share),
         account as (
           select user_id from credentials where user_id = $2 and suspended_at is null for share)
         insert into sessions (session_id, user_id, client_id, expires_at, user_agent)
         select $1, user_id, client_id, now() + make_interval(secs => $4), $5 from account, client`,
        [sessionId, userId, clientId, lifetimeSeconds, userAgent],
      );
      return rowCount === 1;
    },
  };
}
