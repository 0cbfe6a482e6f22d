import type pg from 'pg';
import type { KeyStore, StoredKey } from '../../../auth/tokens/key-rings.ts';

/** A connection that does not answer is abandoned, so that the next read uses another one. */
const READ_DEADLINE_MS = 2_000;

/** Creates the store of keys that are made here and kept in PostgreSQL, for all nodes. */
export function createSigningKeyStore(pool: pg.Pool): KeyStore {
  const find = async (name: string): Promise<string | undefined> => {
    const { rows } = await pool.query<{ key: string }>(
      'select key from signing_keys where name = $1 order by version limit 1',
      [name],
    );
    return rows[0]?.key;
  };

  return {
    async keep(name, make) {
      const kept = await find(name);
      if (kept !== undefined) return kept;
      await pool.query(
        'insert into signing_keys (name, key) values ($1, $2) on conflict (name, version) do nothing',
        [name, make()],
      );
      return (await find(name))!;
    },
    async versions(name) {
      const query: pg.QueryConfig & { query_timeout: number } = {
        text: `select version, key, extract(epoch from signs_at - now())::float8 * 1000 as "signsInMs",
             extract(epoch from retires_at - now())::float8 * 1000 as "retiresInMs"
           from signing_keys where name = $1 order by version`,
        values: [name],
        query_timeout: READ_DEADLINE_MS,
      };
      return (await pool.query<StoredKey>(query)).rows;
    },
    async add(name, key, last, { leadSeconds, lifetimeSeconds }) {
      // The first version of all signs at once, because nobody could sign before.
      const { rowCount } = await pool.query(
        `with added as (
           insert into signing_keys (name, version, key, signs_at)
           values ($1, $3::int + 1, $2, now() + make_interval(secs => case when $3 = 0 then 0 else $4 end))
           on conflict (name, version) do nothing returning signs_at),
         retired as (
           update signing_keys k set retires_at = a.signs_at + make_interval(secs => $5)
           from added a where k.name = $1 and k.retires_at is null)
         select from added`,
        [name, key, last, leadSeconds, lifetimeSeconds],
      );
      return rowCount === 1;
    },
    async replaceAll(name, key) {
      await pool.query(
        `with others as (delete from signing_keys where name = $1 returning version)
         insert into signing_keys (name, version, key)
         select $1, coalesce(max(version), 0) + 1, $2 from others`,
        [name, key],
      );
    },
    async retire(name, seconds) {
      await pool.query(
        'update signing_keys set retires_at = now() + make_interval(secs => $2) where name = $1 and retires_at is null',
        [name, seconds],
      );
    },
  };
}
