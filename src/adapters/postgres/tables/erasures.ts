import type pg from 'pg';
import type { ErasureId, FileId, GroupId, UserId } from '../../../events/ids.ts';
import type { ErasedPerson } from '../../../privacy/erased-people.ts';
import type { Erasures, GroupMonth } from '../../../privacy/eraser.ts';
import { eraseMonthInReadModels, erasePersonInReadModels, inMonth } from '../read-models/erase-text.ts';

/** Resolves with the people and the months that were cleared and meet a condition. */
async function clearedWhere(
  pool: pg.Pool,
  condition: string,
  values: unknown[] = [],
): Promise<(ErasedPerson | GroupMonth)[]> {
  const people = await pool.query<ErasedPerson>(
    `select user_id as "userId", erasure_id as "erasureId" from erasures where ${condition}`,
    values,
  );
  const months = await pool.query<GroupMonth>(
    `select group_id as "groupId", month from erased_months where ${condition}`,
    values,
  );
  return [...people.rows, ...months.rows];
}

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
  async expirable(firstKept, limit) {
    const { rows } = await pool.query<{ groupId: GroupId; month: string }>(
      `select split_part(name, '.', 2) as "groupId", split_part(name, '.', 3) as month from text_keys
       where wrapped is not null and name like 'g.%' and split_part(name, '.', 3) < $1 and not exists (
         select from audit.holds h
         where h.group_id = split_part(name, '.', 2)::uuid and h.released_at is null
       )
       order by split_part(name, '.', 3) limit $2`,
      [firstKept, limit],
    );
    return rows;
  },
  forgetMonth: ({ groupId, month }) => eraseMonthInReadModels(pool, groupId, month),
  async filesOf(of, after, limit) {
    const { where, values } =
      'userId' in of
        ? { where: 'uploader_id = $3', values: [of.userId] }
        : { where: `group_id = $3 and ${inMonth('requested_at', '$4')}`, values: [of.groupId, of.month] };
    const { rows } = await pool.query<{ fileId: FileId }>(
      `select file_id as "fileId" from files.files
       where ${where} and status not in ('rejected', 'infected') and file_id > $1
       order by file_id limit $2`,
      [after, limit, ...values],
    );
    return rows.map(({ fileId }) => fileId);
  },
  async companiesOf(userId) {
    const { rows } = await pool.query<{ companyId: UserId }>(
      `select company_id as "companyId" from chat_groups.staff where user_id = $1 and role is not null`,
      [userId],
    );
    return rows.map(({ companyId }) => companyId);
  },
  async cleared(erased) {
    if ('userId' in erased)
      await pool.query(
        `insert into erasures (erasure_id, user_id, cleared_at, scrub) values ($1, $2, now(), ask_for_scrub())
         on conflict (erasure_id) do nothing`,
        [erased.erasureId, erased.userId],
      );
    else
      await pool.query(
        `insert into erased_months (group_id, month, scrub) values ($1, $2, ask_for_scrub())
         on conflict do nothing`,
        [erased.groupId, erased.month],
      );
  },
  toSweep: (before) =>
    clearedWhere(pool, 'swept_at is null and cleared_at < $1 order by cleared_at limit 100', [before]),
  toScrub: () => clearedWhere(pool, 'scrub > (select done from scrubs)'),
  async swept(erased) {
    const swept = 'with asked as (select ask_for_scrub()) update';
    if ('userId' in erased)
      await pool.query(`${swept} erasures set swept_at = now() from asked where erasure_id = $1`, [
        erased.erasureId,
      ]);
    else
      await pool.query(
        `${swept} erased_months set swept_at = now() from asked where group_id = $1 and month = $2`,
        [erased.groupId, erased.month],
      );
  },
});
