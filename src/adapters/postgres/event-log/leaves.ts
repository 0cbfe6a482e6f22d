import type pg from 'pg';
import type { ReadLeaves } from '../../../audit/leaf.ts';
import { HASH_BYTES } from '../../../audit/merkle.ts';
import { unavailable } from '../../event-log/batch.ts';

const field = (text: string) => `octet_length(${text}) || ':' || ${text} || ','`;
/** Formats a time as `rfc3339` in reader.ts does. */
const time = (utc: string) =>
  `left(${utc}, 10) || 'T' || substr(${utc}, 12, 8) || '.' || substr(${utc}, 21)
     || repeat('0', 3 - length(substr(${utc}, 21))) || 'Z'`;
const contents = (json: string) => `encode(sha256(convert_to(${json}::text, 'UTF8')), 'hex')`;

/**
 * The leaves as audit/leaf.ts makes them, in the order of the log. `offset 0` keeps PostgreSQL from making each field
 * anew wherever it is named.
 */
const LEAVES = `
  select string_agg(sha256('\\x00'::bytea || convert_to(
      ${field('position::text')} || ${field('stream')} || ${field('revision::text')} || ${field('id::text')}
      || ${field('type')} || ${field('v::text')} || ${field('occurred')} || ${field('recorded')}
      || ${field('data_sha256')} || ${field('metadata_sha256')}, 'UTF8')), ''::bytea order by position) as leaves,
    string_agg(position::text, ',' order by position) as positions
  from (
    select position, stream, revision, id, type, v, ${time('occurred_utc')} as occurred,
      coalesce(${time('recorded_utc')}, '') as recorded,
      ${contents('data')} as data_sha256, ${contents('metadata')} as metadata_sha256
    from (
      select *, (occurred_at at time zone 'UTC')::text as occurred_utc, (recorded_at at time zone 'UTC')::text as recorded_utc
      from events where position > $1 order by position limit $2
    ) page
    offset 0
  ) sealed`;

/** Creates the sealer's reading of the log. PostgreSQL makes the leaves, which costs a third of sending the events. */
export const createLeafReader =
  (pool: pg.Pool): ReadLeaves =>
  async ({ after, limit }) => {
    const query = { name: 'log_leaves', text: LEAVES, values: [after, limit] };
    const { rows } = await pool
      .query<{ leaves: Buffer | null; positions: string | null }>(query)
      .catch((error: unknown) => {
        throw unavailable('the log cannot be read', error);
      });
    const { leaves, positions } = rows[0]!;
    if (leaves === null || positions === null) return [];
    return positions.split(',').map((position, n) => ({
      position: Number(position),
      leaf: leaves.subarray(n * HASH_BYTES, (n + 1) * HASH_BYTES),
    }));
  };
