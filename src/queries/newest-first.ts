import { type DatabasePool, type DatabaseTransactionConnection, type FragmentSqlToken, sql } from 'slonik';
import { z } from 'zod';
import type { ProjectionName } from '../projections/projection.ts';
import type { SearchQuery } from '../search/query.ts';
import { cursorOf } from './cursor.ts';

/** Less than the 5 s within which every call is answered. */
const STATEMENT_MS = 3_000;

/** The lengths of the stretches that `public.search_stretches` counts, in its order. */
const STRETCHES = [2 ** 11, 2 ** 17];

const Head = z.object({ position: z.number() });
const Count = z.object({ count: z.number() });

/** Maximum number of hits that are filtered by membership: 10 µs for each, while a lookup of 128 keys takes 4 ms. */
const FEW_HITS = 10_000;

/** A place among hits: those with the words as typed come first, then, in rank 2, those with other accents. */
const Place = z.strictObject({ position: z.int().min(0), rank: z.literal(2).optional() });
type Place = z.infer<typeof Place>;
export const byRank = cursorOf(Place);

/** The table that is searched. */
const QUERIED = {
  conversations: sql.fragment`conversations.messages`,
  jobs: sql.fragment`jobs.jobs`,
} satisfies Partial<Record<ProjectionName, FragmentSqlToken>>;

/** A part of the log that is searched at once, as conditions on the columns `position` and `terms`. */
export interface Stretch {
  /** The condition for the index of words: the words and the range. It covers slightly more than the stretch. */
  inIndex: FragmentSqlToken;
  /** The condition for the rows that the index finds. */
  within: FragmentSqlToken;
  /** True if there are few hits, counting those of all users. */
  hasFew: boolean;
}

export interface NewestFirst {
  readModel: keyof typeof QUERIED;
  query: SearchQuery;
  /** The end of the previous page. */
  after: Place | undefined;
  wanted: number;
  /**
   * True if the searcher has many keys, so that filtering few hits of all users costs less than looking up
   * the keys.
   */
  hasManyKeys: boolean;
}

type Find<R> = (tx: DatabaseTransactionConnection, stretch: Stretch, wanted: number) => Promise<readonly R[]>;

/** A hit with its rank for the cursor. */
type Ranked<R> = R & Pick<Place, 'rank'>;

/**
 * Finds hits of an index of words, newest first, although the index does not have that order. It searches a
 * short stretch at the end of the log, then a long one, then the rest, and stops as soon as there are enough
 * hits. So a page of a frequent word costs as much as the hits in a stretch, and a page of a rare word as
 * much as all its hits. No hit is left out. A caller with many keys does without them where few messages
 * match. Once the first rank is exhausted, the second is searched in the same way.
 *
 * `find` resolves with the newest `wanted` hits in the stretch. It must query the index in a step of its own,
 * with `inIndex` as the only condition (`with hits as materialized`), so that the planner has no other plan.
 */
export const newestFirst = <R extends { position: number }>(
  db: DatabasePool,
  { query, after, wanted, ...searched }: NewestFirst,
  find: Find<R>,
): Promise<Ranked<R>[]> =>
  db.transaction(async (tx) => {
    await tx.any(sql.unsafe`
      select set_config('statement_timeout', ${String(STATEMENT_MS)}, true), set_config('enable_seqscan', 'off', true)`);
    const head = await tx.oneFirst(sql.type(Head)`
      select position from public.checkpoints where name = ${searched.readModel}`);
    const { asTyped, inSecondRank } = query;
    const isTyped = matches(query, asTyped);
    const end = (rank: Place['rank']) =>
      after && after.rank === rank ? Math.min(after.position, head + 1) : head + 1;

    const found: Ranked<R>[] =
      after?.rank === 2
        ? []
        : await upTo(tx, end(undefined), { ...searched, matching: isTyped, wanted, find });
    if (found.length >= wanted || inSecondRank === undefined) return found;
    const holdsOne = sql.fragment`terms @@ ${inSecondRank.holdingOneOf}::tsquery`;
    const matching = sql.fragment`${holdsOne} and ${matches(query, inSecondRank.matching)} and not (${isTyped})`;
    const others = await upTo(tx, end(2), { ...searched, matching, wanted: wanted - found.length, find });
    return [...found, ...others.map((row) => ({ ...row, rank: 2 as const }))];
  });

/**
 * While PostgreSQL moves rows from the pending list into the index, key by key, the index finds a row before it
 * contains the word that excludes it. The second condition, which no index supports, filters such rows.
 */
const matches = ({ hasExclusions }: SearchQuery, tsquery: string): FragmentSqlToken => {
  const condition = sql.fragment`terms @@ ${tsquery}::tsquery`;
  return hasExclusions ? sql.fragment`${condition} and (${condition}) is true` : condition;
};

/** Finds the newest hits below a position, stretch by stretch. */
async function upTo<R>(
  tx: DatabaseTransactionConnection,
  end: number,
  {
    readModel,
    hasManyKeys,
    matching,
    wanted,
    find,
  }: Pick<NewestFirst, 'readModel' | 'hasManyKeys' | 'wanted'> & {
    matching: FragmentSqlToken;
    find: Find<R>;
  },
): Promise<R[]> {
  const found: R[] = [];
  let upper = end;
  let hasFew = false;
  for (const [kind, length] of STRETCHES.entries()) {
    const last = Math.floor((upper - 1) / length);
    const lower = Math.max(0, last - 1) * length;
    const keys = [last, last - 1].map((stretch) => stretch * STRETCHES.length + kind);
    const inIndex = sql.fragment`${matching} and public.search_stretches(position) && ${sql.array(keys, 'int8')}`;
    const within = sql.fragment`position >= ${lower} and position < ${upper}`;
    found.push(...(await find(tx, { inIndex, within, hasFew: kind === 0 }, wanted - found.length)));
    if (found.length >= wanted || lower === 0) return found;
    upper = lower;
    hasFew = hasManyKeys && (await hasFewHits(tx, readModel, below(upper, matching)));
    if (hasFew) break;
  }
  found.push(...(await find(tx, { ...below(upper, matching), hasFew }, wanted - found.length)));
  return found;
}

async function hasFewHits(
  tx: DatabaseTransactionConnection,
  readModel: NewestFirst['readModel'],
  { inIndex, within }: Pick<Stretch, 'inIndex' | 'within'>,
): Promise<boolean> {
  const count = await tx.oneFirst(sql.type(Count)`
    select count(*) from (
      select from ${QUERIED[readModel]} where ${inIndex} and ${within} limit ${FEW_HITS + 1}
    ) hits`);
  return count <= FEW_HITS;
}

const below = (end: number, matching: FragmentSqlToken) => ({
  inIndex: matching,
  within: sql.fragment`position < ${end}`,
});
