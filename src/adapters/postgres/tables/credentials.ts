import pg from 'pg';
import { RESET_MS } from '../../../auth/tokens/account-tokens.ts';
import { type Credential, type Credentials, EmailTaken } from '../../../auth/credentials.ts';
import { newId } from '../../../kit/uuids.ts';
import { POST_ADDRESS_CHANGE, POST_RESET, POST_VERIFICATION } from '../notifications/account-letters.ts';

export const UNIQUE_VIOLATION = '23505';

const COLUMNS = `c.user_id as "userId", c.email, c.password_hash as "passwordHash", c.role,
  c.display_name as "displayName", c.registered, c.email_verified_at is not null as "emailVerified",
  c.new_email as "newEmail", c.password_version as "passwordVersion",
  exists (select from second_factors f where f.user_id = c.user_id and f.activated_at is not null)
    as "hasSecondFactor",
  c.suspended_at is not null as "isSuspended"`;

const ADD = `
  with added as (
    insert into credentials (user_id, email, password_hash, role, display_name, email_verified_at)
    values ($2, $3, $4, $5, $6, case when $7 then now() end)
    returning user_id, email, email_verified_at
  )
  select case when email_verified_at is null then ${POST_VERIFICATION('$1', 'email', 'user_id')} end from added`;

/** The present address is notified only if it is verified: any other gets verification letters alone. */
const AWAIT_EMAIL = `
  with asked as (
    update credentials set new_email = $4 where user_id = $3 returning user_id, email, email_verified_at
  )
  select ${POST_VERIFICATION('$1', '$4', 'user_id')},
    case when email_verified_at is not null then ${POST_ADDRESS_CHANGE('$2', 'email', 'user_id')} end
  from asked`;

const CONFIRM_EMAIL = `
  update credentials set email = $2, new_email = nullif(new_email, $2),
    email_verified_at = case email when $2 then coalesce(email_verified_at, now()) else now() end
  where user_id = $1 and $2 in (email, new_email)`;

/** Throws `EmailTaken` if the address belongs to another account. */
export async function unlessTaken<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const isTaken =
      error instanceof pg.DatabaseError &&
      error.code === UNIQUE_VIOLATION &&
      error.constraint === 'credentials_email_key';
    throw isTaken ? new EmailTaken() : error;
  }
}

/** Creates the credentials in PostgreSQL. */
export function createCredentials(pool: pg.Pool): Credentials {
  const select = async (rest: string, values: unknown[] = []): Promise<Credential[]> => {
    const { rows } = await pool.query<Credential>(`select ${COLUMNS} from credentials c ${rest}`, values);
    return rows;
  };
  /** Resolves with the single column of the first row; undefined without a row. */
  const ask = async <T>(text: string, values: unknown[]): Promise<T | undefined> => {
    const { rows } = await pool.query<{ answer: T }>(text, values);
    return rows[0]?.answer;
  };

  return {
    async add({ userId, email, passwordHash, role, displayName, emailVerified = false }) {
      const values = [newId(), userId, email, passwordHash, role, displayName, emailVerified];
      await unlessTaken(pool.query(ADD, values));
    },
    ofEmail: async (email) => (await select('where email = $1', [email]))[0],
    ofUser: async (userId) => (await select('where user_id = $1', [userId]))[0],
    unregistered: () => select('where not registered order by created_at'),
    async markRegistered(userId) {
      await pool.query('update credentials set registered = true where user_id = $1', [userId]);
    },
    list: () => select('order by email'),

    sendVerification: async (userId, address) =>
      (await ask<boolean>(`select ${POST_VERIFICATION('$1', '$2', '$3')} as answer`, [
        newId(),
        address,
        userId,
      ])) ?? false,
    async awaitEmail(userId, newEmail) {
      await pool.query(AWAIT_EMAIL, [newId(), newId(), userId, newEmail]);
    },
    async keepEmail(userId) {
      await pool.query('update credentials set new_email = null where user_id = $1', [userId]);
    },
    async vouch(isVerified, userId) {
      const { rowCount } = await pool.query(
        `update credentials set email_verified_at = case when $1 then now() end
         where (email_verified_at is not null) <> $1 and email is not null and user_id = coalesce($2, user_id)`,
        [isVerified, userId],
      );
      return rowCount ?? 0;
    },
    suspend: async (userId) =>
      (await ask<string[] | null>('select suspend_account($1) as answer', [userId])) ?? undefined,
    suspendForOperator: async (userId) =>
      (await ask<string[] | null>('select suspend_account_for_operator($1) as answer', [userId])) ??
      undefined,
    isLastOperator: async (userId) =>
      (await ask<boolean>('select is_last_operator($1) as answer', [userId])) ?? false,
    async restore(userId) {
      const { rowCount } = await pool.query(
        'update credentials set suspended_at = null where user_id = $1 and suspended_at is not null',
        [userId],
      );
      return rowCount === 1;
    },
    async confirmEmail(userId, address) {
      const { rowCount } = await unlessTaken(pool.query(CONFIRM_EMAIL, [userId, address]));
      return rowCount === 1;
    },

    async renewPasswordHash({ userId, passwordHash }, renewed) {
      await pool.query(
        'update credentials set password_hash = $3 where user_id = $1 and password_hash = $2',
        [userId, passwordHash, renewed],
      );
    },
    replacePassword: async (userId, passwordHash, only) =>
      (await ask<string[] | null>('select set_password($1, $2, $3, $4) as answer', [
        ...[userId, passwordHash],
        ...[only?.version, only?.kept],
      ])) ?? undefined,
    async sendReset(address) {
      await pool.query(`select ${POST_RESET('$1', '$2')}`, [newId(), address]);
    },
    ofReset: async (letterId) =>
      (
        await select(
          `join account_letters l on l.address = c.email
           where l.letter_id = $1 and l.kind = 'password-reset' and l.spent_at is null
             and l.written_at > now() - make_interval(secs => $2) and c.email_verified_at is not null
             and c.password_hash is not null`,
          [letterId, RESET_MS / 1_000],
        )
      )[0],
    resetPassword: (letterId, passwordHash) =>
      ask<string[]>('select ended as answer from reset_password($1, $2, make_interval(secs => $3))', [
        letterId,
        passwordHash,
        RESET_MS / 1_000,
      ]),
  };
}
