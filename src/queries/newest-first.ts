import { type DatabasePool, type DatabaseTransactionConnection, type FragmentSqlToken, sql } from 'slonik';
import { z } from 'zod';

/** Below the 5 s in which every call is answered. */
const STATEMENT_MS = 3_000;

/** The lengths of the stretches that `public.search_stretches` knows, in its order. */
const STRETCHES = [2 ** 11, 2 ** 17];

const Head = z.object({ position: z.number() });

/** A part of the log that is searched at once, as conditions on the column `position`. */
export interface Stretch {
  /** For the index of words; holds a little more than the stretch. */
  inIndex: FragmentSqlToken;
  /** For what the index finds. */
  within: FragmentSqlToken;
  isShort: boolean;
}

export interface NewestFirst {
  readModel: 'conversations' | 'jobs';
  /** Where the page before has ended. */
  before: number | undefined;
  wanted: number;
}

/**
 * Finds what stands nowhere in the order in which it is wanted: hits by an index of words, newest first. It asks for those
 * of a short stretch at the end of the log, then of a long one, then for the rest, and stops as soon as there are enough:
 * a page of a frequent word costs what is in a stretch, one of a rare word what there is. No hit is left out.
 *
 * `find` answers with the newest `wanted` hits in the stretch. It must ask the index for them in a step of its own, with
 * nothing but the words and `inIndex` (`with hits as materialized`): the planner then has no other way to take.
 */
export const newestFirst = <R extends { position: number }>(
  db: DatabasePool,
  { readModel, before, wanted }: NewestFirst,
  find: (tx: DatabaseTransactionConnection, stretch: Stretch, wanted: number) => Promise<readonly R[]>,
): Promise<readonly R[]> =>
  db.transaction(async (tx) => {
    await tx.any(sql.unsafe`
      select set_config('statement_timeout', ${String(STATEMENT_MS)}, true), set_config('enable_seqscan', 'off', true)`);
    const head = await tx.oneFirst(sql.type(Head)`
      select position from public.checkpoints where name = ${readModel}`);
    const found: R[] = [];
    let upper = Math.min(before ?? Infinity, head + 1);
    for (const [kind, length] of STRETCHES.entries()) {
      const last = Math.floor((upper - 1) / length);
      const lower = Math.max(0, last - 1) * length;
      const keys = [last, last - 1].map((stretch) => stretch * STRETCHES.length + kind);
      const inIndex = sql.fragment`public.search_stretches(position) && ${sql.array(keys, 'int8')}`;
      const within = sql.fragment`position >= ${lower} and position < ${upper}`;
      found.push(...(await find(tx, { inIndex, within, isShort: kind === 0 }, wanted - found.length)));
      if (found.length >= wanted || lower === 0) return found;
      upper = lower;
    }
    const rest = { inIndex: sql.fragment`true`, within: sql.fragment`position < ${upper}`, isShort: false };
    found.push(...(await find(tx, rest, wanted - found.length)));
    return found;
  });
