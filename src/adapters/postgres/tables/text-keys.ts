import type pg from 'pg';
import type { KeyName, RewrappableKeys, TextKeys, WrappedKey } from '../../../privacy/key-ring.ts';

interface Row {
  name: KeyName;
  masterId: string | null;
  wrapped: Buffer | null;
}

const COLUMNS = 'name, master_id as "masterId", wrapped';

const toKeys = (rows: readonly Row[]): Map<KeyName, WrappedKey> =>
  new Map(
    rows.map(
      ({ name, masterId, wrapped }) => [name, wrapped && { masterId: masterId ?? '', wrapped }] as const,
    ),
  );

export interface StoredTextKeys extends TextKeys, RewrappableKeys {
  /** Resolves with the names of all keys that are destroyed. */
  destroyed(): Promise<KeyName[]>;
  /** Resolves with the id of a master key, other than these, that some key is wrapped with. */
  otherMaster(known: readonly string[]): Promise<string | undefined>;
}

/** Creates the store of the keys of personal text. */
export function createTextKeys(pool: pg.Pool): StoredTextKeys {
  async function find(names: readonly KeyName[]): Promise<Map<KeyName, WrappedKey>> {
    const { rows } = await pool.query<Row>({
      name: 'text-keys',
      text: `select ${COLUMNS} from text_keys where name = any ($1)`,
      values: [names],
    });
    return toKeys(rows);
  }

  return {
    find,
    async add(keys) {
      const names = [...keys.keys()];
      const wrapped = [...keys.values()];
      // In one order, so that processes that add the same keys do not wait for each other in a circle.
      await pool.query({
        name: 'add-text-keys',
        text: `
          insert into text_keys (name, master_id, wrapped)
          select * from unnest($1::text[], $2::text[], $3::bytea[]) k (name, master_id, wrapped) order by name
          on conflict do nothing`,
        values: [names, wrapped.map(({ masterId }) => masterId), wrapped.map((key) => key.wrapped)],
      });
      return find(names);
    },
    async underOthers(masterId, limit) {
      const { rows } = await pool.query<{ name: KeyName; masterId: string; wrapped: Buffer }>(
        `select ${COLUMNS} from text_keys
         where wrapped is not null and (master_id < $1 or master_id > $1) order by master_id, name limit $2`,
        [masterId, limit],
      );
      return new Map(rows.map(({ name, ...key }) => [name, key]));
    },
    async replace(keys) {
      const wrapped = [...keys.values()];
      const { rowCount } = await pool.query(
        `update text_keys t set master_id = k.master_id, wrapped = k.wrapped
         from unnest($1::text[], $2::text[], $3::bytea[]) k (name, master_id, wrapped)
         where t.name = k.name and t.wrapped is not null`,
        [[...keys.keys()], wrapped.map(({ masterId }) => masterId), wrapped.map((key) => key.wrapped)],
      );
      return rowCount ?? 0;
    },
    async destroyed() {
      const { rows } = await pool.query<Pick<Row, 'name'>>(
        'select name from text_keys where destroyed_at is not null',
      );
      return rows.map(({ name }) => name);
    },
    async otherMaster(known) {
      // The index has the least and the greatest at its ends. Another one between them would be found on use.
      const { rows } = await pool.query<{ id: string }>(
        `select id from (
           select min(master_id) as id from text_keys where wrapped is not null
           union all select max(master_id) from text_keys where wrapped is not null
         ) ends where id is not null and id <> all ($1)`,
        [known],
      );
      return rows[0]?.id;
    },
    async destroy(names) {
      await pool.query(
        `insert into text_keys (name, destroyed_at) select unnest($1::text[]), now()
         on conflict (name) do update set wrapped = null, master_id = null, destroyed_at = excluded.destroyed_at
         where text_keys.destroyed_at is null`,
        [names],
      );
    },
  };
}

/** Resolves with true if the database is of a version that seals personal text. */
export async function hasTextKeys(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query<{ has: boolean }>(
    `select to_regclass('public.text_keys') is not null as has`,
  );
  return rows[0]!.has;
}
