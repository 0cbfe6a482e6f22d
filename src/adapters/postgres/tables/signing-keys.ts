import type pg from 'pg';
import type { SigningKeyStore } from '../../../auth/tokens/signing-keys.ts';

/** Creates the store of keys that are made once and kept in PostgreSQL, for all nodes. */
export function createSigningKeyStore(pool: pg.Pool): SigningKeyStore {
  const find = async (name: string): Promise<string | undefined> => {
    const { rows } = await pool.query<{ key: string }>('select key from signing_keys where name = $1', [
      name,
    ]);
    return rows[0]?.key;
  };

  return {
    async keep(name, make) {
      const kept = await find(name);
      if (kept !== undefined) return kept;
      await pool.query('insert into signing_keys (name, key) values ($1, $2) on conflict (name) do nothing', [
        name,
        make(),
      ]);
      return (await find(name))!;
    },
  };
}
