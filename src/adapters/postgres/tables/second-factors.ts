import type pg from 'pg';
import type { SecondFactorStore } from '../../../auth/second-factor/second-factors.ts';

/** Creates the store of second factors in PostgreSQL. Each change is one statement, whatever other nodes do. */
export function createSecondFactorStore(pool: pg.Pool): SecondFactorStore {
  const changes = async (text: string, values: unknown[]): Promise<boolean> =>
    (await pool.query(text, values)).rowCount === 1;

  return {
    begin: (userId, sealed) =>
      changes(
        `insert into second_factors (user_id, secret) values ($1, $2)
         on conflict (user_id) do update set secret = excluded.secret, begun_at = now()
         where second_factors.activated_at is null`,
        [userId, sealed],
      ),
    async find(userId) {
      const { rows } = await pool.query<{ sealed: Buffer; isActive: boolean }>(
        `select secret as sealed, activated_at is not null as "isActive" from second_factors where user_id = $1`,
        [userId],
      );
      return rows[0];
    },
    async activate(userId, { sealed, step, recoveryCodes, kept }) {
      const { rows } = await pool.query<{ ended: string[] | null }>(
        'select activate_second_factor($1, $2, $3, $4, $5) as ended',
        [userId, sealed, step, recoveryCodes, kept],
      );
      return rows[0]?.ended ?? undefined;
    },
    spendStep: (userId, sealed, step) =>
      changes(
        `update second_factors set last_step = $3
         where user_id = $1 and secret = $2 and activated_at is not null and coalesce(last_step < $3, true)`,
        [userId, sealed, step],
      ),
    spendRecoveryCode: (userId, hash) =>
      changes('delete from recovery_codes where user_id = $1 and code_hash = $2', [userId, hash]),
    remove: (userId) => changes('delete from second_factors where user_id = $1', [userId]),
    async countLacking(role) {
      const { rows } = await pool.query<{ lacking: number }>(
        `select count(*)::int as lacking from credentials c
         where c.role = $1 and not exists (
           select from second_factors f where f.user_id = c.user_id and f.activated_at is not null)`,
        [role],
      );
      return rows[0]!.lacking;
    },
  };
}
