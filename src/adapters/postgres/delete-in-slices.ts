import type pg from 'pg';
import { sleep } from '../../kit/back-off.ts';
import { PageSize } from '../../kit/page-size.ts';

/** Rows of one table that have served their time. */
export interface Expired {
  table: string;
  /** The condition in SQL, with `$1` for the present. */
  where: string;
  /** The column by which an index finds the oldest of them. */
  oldestBy: string;
}

const ROWS = 5_000;
/** Nobody needs to know of more than so many. */
const COUNTED = 100_000;
const QUERY_CANCELED = '57014';

/**
 * Deletes expired rows, oldest first, in slices with a transaction each. Between two slices it rests for as long as the
 * last one took, so that others get their turn. A slice that PostgreSQL cancels comes again at half the size. Resolves
 * with the number of deleted rows. Rejects with any other error, and then the slices before it stay deleted.
 */
export async function deleteInSlices(
  pool: Pick<pg.Pool, 'query'>,
  { table, where, oldestBy }: Expired,
  { now, rows = ROWS, signal }: { now: Date; rows?: number; signal?: AbortSignal },
): Promise<number> {
  const slice = new PageSize(rows);
  // An open snapshot keeps what the slices before have deleted in the index; each begins behind that.
  const text = `
    with deleted as (
      delete from ${table} where ctid = any (array(
        select ctid from ${table} where ${where} and ${oldestBy} >= $3::timestamptz
        order by ${oldestBy} limit $2 for update skip locked
      )) returning ${oldestBy} as at
    )
    select count(*) as count, max(at)::text as last from deleted`;
  let from = '-infinity';
  let deleted = 0;
  while (!signal?.aborted) {
    const size = slice.rows;
    const startedAt = performance.now();
    try {
      const { rows: answer } = await pool.query<{ count: number; last: string | null }>(text, [
        now,
        size,
        from,
      ]);
      const { count, last } = answer[0]!;
      deleted += Number(count);
      from = last ?? from;
      if (Number(count) < size) break;
      slice.succeeded();
    } catch (error) {
      if ((error as { code?: unknown }).code !== QUERY_CANCELED || size === 1) throw error;
      slice.failed();
    }
    await sleep(performance.now() - startedAt, signal);
  }
  return deleted;
}

/** Resolves with how many rows are left to delete, or 100,000 when there are more. */
export async function countExpired(
  pool: Pick<pg.Pool, 'query'>,
  { table, where }: Expired,
  now: Date,
): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*) from (select from ${table} where ${where} limit ${COUNTED}) expired`,
    [now],
  );
  return Number(rows[0]!.count);
}
