import type pg from 'pg';
import { ERASED } from '../../../events/personal-text.ts';
import { nextOf, previousOf } from './read-model-schemas.ts';
import type { ProjectionName } from '../../../projections/projection.ts';

/** Number of messages that one statement covers. */
const SLICE = 2_000;

/**
 * Removes the text of an erased person from the read models, as a rebuild would leave them: the live ones, those being
 * rebuilt, and those kept for going back. Call it once the live ones have handled the event of the erasure.
 */
export const erasePersonInReadModels = (pool: pg.Pool, userId: string): Promise<void> =>
  inAllVersions(() => erasePerson(pool, userId));

async function erasePerson(pool: pg.Pool, userId: string): Promise<void> {
  for (const schema of await versionsOf(pool, 'conversations')) await eraseMessages(pool, schema, userId);
  for (const schema of await versionsOf(pool, 'applications'))
    await pool.query(
      `update ${schema}.applications set cover_letter = null, reason = null
       where applicant_id = $1 and (cover_letter is not null or reason is not null)`,
      [userId],
    );
  for (const schema of await versionsOf(pool, 'applications', 'notes'))
    await pool.query(`update ${schema}.notes set text = null where applicant_id = $1 and text is not null`, [
      userId,
    ]);
  for (const schema of await versionsOf(pool, 'files'))
    await pool.query(
      `update ${schema}.files set name = '${ERASED}' where uploader_id = $1 and name <> '${ERASED}'`,
      [userId],
    );
  for (const schema of await versionsOf(pool, 'accounts'))
    await pool.query(
      `update ${schema}.accounts set display_name = '${ERASED}' where user_id = $1 and display_name <> '${ERASED}'`,
      [userId],
    );
  for (const schema of await versionsOf(pool, 'accounts', 'names'))
    await pool.query(`delete from ${schema}.names where user_id = $1`, [userId]);
}

const [NO_TABLE, NO_SCHEMA] = ['42P01', '3F000'];
const MOST_SWITCHES = 10;

/** Repeats the work when a version is switched or removed meanwhile. */
async function inAllVersions(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await work();
    } catch (error) {
      const { code } = error as { code?: unknown };
      if ((code !== NO_TABLE && code !== NO_SCHEMA) || attempt === MOST_SWITCHES) throw error;
    }
}

/** Resolves with the versions of a read model that have a table. An older one may lack what came later. */
async function versionsOf(pool: pg.Pool, name: ProjectionName, table: string = name): Promise<string[]> {
  const { rows } = await pool.query<{ nspname: string }>(
    `select n.nspname from pg_namespace n join pg_class c on c.relnamespace = n.oid
     where n.nspname = any ($1) and c.relname = $2`,
    [[name, nextOf(name), previousOf(name)], table],
  );
  return rows.map(({ nspname }) => nspname);
}

/** Returns the condition that a time is in a month, `YYYY-MM` in UTC. */
export const inMonth = (time: string, month: string): string =>
  `to_char(${time} at time zone 'UTC', 'YYYY-MM') = ${month}`;

/** Removes what was said in a group in a month from the read models, in all of their versions. */
export const eraseMonthInReadModels = (pool: pg.Pool, groupId: string, month: string): Promise<void> =>
  inAllVersions(() => eraseMonth(pool, groupId, month));

async function eraseMonth(pool: pg.Pool, groupId: string, month: string): Promise<void> {
  for (const schema of await versionsOf(pool, 'conversations'))
    await eraseInGroup(pool, schema, groupId, { where: inMonth('p.sent_at', '$3'), value: month });
  for (const schema of await versionsOf(pool, 'files'))
    await pool.query(
      `update ${schema}.files set name = '${ERASED}'
       where group_id = $1 and ${inMonth('requested_at', '$2')} and name <> '${ERASED}'`,
      [groupId, month],
    );
}

/** Goes through the groups in which the person wrote. */
async function eraseMessages(pool: pg.Pool, schema: string, userId: string): Promise<void> {
  const { rows: groups } = await pool.query<{ group_id: string }>(
    `select group_id from ${schema}.participants where user_id = $1 and sent > 0`,
    [userId],
  );
  for (const { group_id: groupId } of groups)
    await eraseInGroup(pool, schema, groupId, { where: 'p.sender_id = $3', value: userId });
}

/** Removes the text of some messages of a group, a slice at a time. The condition is about `p` and has the value `$3`. */
async function eraseInGroup(
  pool: pg.Pool,
  schema: string,
  groupId: string,
  { where, value }: { where: string; value: string },
): Promise<void> {
  for (let after = 0; ;) {
    const { rows } = await pool.query<{ seen: number; last: number | null }>(
      `with page as (
         select message_id, seq, sender_id, sent_at, text, terms from ${schema}.messages
         where group_id = $1 and seq > $2 order by seq limit ${SLICE}
       ), erased as (
         update ${schema}.messages m set text = null, terms = null from page p
         where m.message_id = p.message_id and ${where} and (p.text is not null or p.terms is not null)
       )
       select count(*) as seen, max(seq) as last from page`,
      [groupId, after, value],
    );
    const { seen, last } = rows[0]!;
    if (last === null || seen < SLICE) return;
    after = last;
  }
}
