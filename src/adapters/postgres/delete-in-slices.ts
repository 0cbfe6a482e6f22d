import type pg from 'pg';
import { sleep } from '../../kit/back-off.ts';
import { PageSize } from '../../kit/page-size.ts';

/** Expired rows of one table. */
export interface Expired {
  table: string;
  /** The condition in SQL, with `$1` for the present time. */
  where: string;
  /** The column by which an index finds the oldest rows. */
  oldestBy: string;
}

const ROWS = 5_000;
/** Counting stops here; a higher number does not matter. */
const COUNTED = 100_000;
const QUERY_CANCELED = '57014';

/**
 * Deletes expired rows, oldest first, in slices with a transaction each. Between two slices it rests for as
 * long as the last one took, so that other work gets its turn. A slice that PostgreSQL cancels is repeated at
 * half the size. Resolves with the number of deleted rows. Rejects with any other error; the slices before it
 * stay deleted.
 */
export async function deleteInSlices(
  pool: Pick<pg.Pool, 'query'>,
  { table, where, oldestBy }: Expired,
  { now, rows = ROWS, signal }: { now: Date; rows?: number; signal?: AbortSignal },
): Promise<number> {
  const slice = new PageSize(rows);
  // An open snapshot keeps the deleted rows of earlier slices in the index, so each slice begins behind them.
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

/** Resolves with the number of rows left to delete, or 100,000 when there are more. */
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
