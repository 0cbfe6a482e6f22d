import type pg from 'pg';
import type { ErasureId, UserId } from '../../../events/ids.ts';
import type { Erasures } from '../../../privacy/eraser.ts';
import { erasePersonInReadModels } from '../read-models/erase-person.ts';

/** Creates the erasures in PostgreSQL: what is to be done, and what is done. */
export const createErasures = (pool: pg.Pool): Erasures => ({
  async due(now, limit) {
    const { rows } = await pool.query<{ userId: UserId; erasureId: ErasureId }>(
      `select a.user_id as "userId", a.erasure_id as "erasureId" from accounts.accounts a
       where a.erasure_due_at <= $1 and a.erased_at is null and not exists (
         select from conversations.participants p join audit.holds h on h.group_id = p.group_id
         where p.user_id = a.user_id and h.released_at is null
       )
       order by a.erasure_due_at limit $2`,
      [now, limit],
    );
    return rows;
  },
  async notDestroyed(people) {
    const { rows } = await pool.query<{ userId: string }>(
      `select p.user_id as "userId" from unnest($1::text[]) p (user_id) where not exists (
         select from text_keys k where k.name = 'p.' || p.user_id and k.destroyed_at is not null
       )`,
      [people.map(({ userId }) => userId)],
    );
    const found = new Set(rows.map(({ userId }) => userId));
    return people.filter(({ userId }) => found.has(userId));
  },
  async forget(userId) {
    await pool.query('select forget_person($1)', [userId]);
    await erasePersonInReadModels(pool, userId);
  },
  async filesOf(userId) {
    const { rows } = await pool.query<{ fileId: string }>(
      `select file_id as "fileId" from files.files
       where uploader_id = $1 and status not in ('rejected', 'infected') limit 1000`,
      [userId],
    );
    return rows.map(({ fileId }) => fileId as never);
  },
  async cleared({ erasureId, userId }) {
    await pool.query(
      `insert into erasures (erasure_id, user_id, cleared_at) values ($1, $2, now())
       on conflict (erasure_id) do nothing`,
      [erasureId, userId],
    );
  },
  async toSweep(before) {
    const { rows } = await pool.query<{ userId: UserId; erasureId: ErasureId }>(
      `select user_id as "userId", erasure_id as "erasureId" from erasures
       where swept_at is null and cleared_at < $1 order by cleared_at limit 100`,
      [before],
    );
    return rows;
  },
  async swept(erasureId) {
    await pool.query('update erasures set swept_at = now() where erasure_id = $1', [erasureId]);
  },
});
