import type pg from 'pg';
import { type Checkpoint, type SealJwk, hashOf } from '../../../audit/checkpoint.ts';
import type { Hash } from '../../../audit/merkle.ts';
import type { FoundTile, SealRecords, Tile, TileName } from '../../../audit/tiles.ts';
import { transaction } from '../transactions.ts';

const SAVE = `
  insert into seal_tiles (seal, level, index, root, position, leaves)
  select $1, level, index, root, position, leaves
  from unnest($2::smallint[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bytea[]) t (level, index, root, position, leaves)
  on conflict (seal, level, index)
  do update set root = excluded.root, position = excluded.position, leaves = excluded.leaves`;

const FOUND = `
  select tile.index, tile.leaves, coalesce(
    (select before.position from seal_tiles before
     where before.seal = tile.seal and before.level = 1 and before.index = tile.index - 1), 0) as after
  from seal_tiles tile where tile.seal = $1 and tile.level = 1`;

/** Creates the records of the sealer about the checkpoints at one place. */
export async function openSealRecords(pool: pg.Pool, place: string): Promise<SealRecords> {
  const find = async () =>
    (await pool.query<{ id: number }>('select id from seals where place = $1', [place])).rows[0]?.id;
  let found = await find();
  // Auditors may read only.
  if (found === undefined)
    await pool.query('insert into seals (place) values ($1) on conflict do nothing', [place]);
  found ??= await find();
  const seal = found!;

  async function save(db: Pick<pg.ClientBase, 'query'>, tiles: readonly Tile[]): Promise<void> {
    if (tiles.length === 0) return;
    const columns = (['level', 'index', 'root', 'position', 'leaves'] as const).map((name) =>
      tiles.map((tile) => tile[name]),
    );
    await db.query(SAVE, [seal, ...columns]);
  }

  async function tileWhere(condition: string, value: number): Promise<FoundTile | undefined> {
    const tiles = await pool.query<FoundTile>(`${FOUND} and ${condition}`, [seal, value]);
    return tiles.rows[0];
  }

  async function headOf(
    db: Pick<pg.Pool | pg.ClientBase, 'query'>,
    lock = '',
  ): Promise<Checkpoint | undefined> {
    const heads = await db.query<{ checkpoint: Checkpoint | null }>(
      `select checkpoint from seals where id = $1 ${lock}`,
      [seal],
    );
    return heads.rows[0]?.checkpoint ?? undefined;
  }

  return {
    head: () => headOf(pool),

    advance: ({ previous, next, tiles }) =>
      transaction(pool, async (client) => {
        const head = await headOf(client, 'for update');
        if ((head ? hashOf(head) : undefined) !== (previous && hashOf(previous))) return false;
        await save(client, tiles);
        await client.query('update seals set checkpoint = $2 where id = $1', [seal, JSON.stringify(next)]);
        return true;
      }),

    publish: (append) =>
      transaction(pool, async (client) => {
        const head = await headOf(client, 'for update');
        if (head) await append(head);
      }),

    save: (tiles) => save(pool, tiles),

    async roots(asked) {
      const kept = await pool.query<TileName & { root: Hash }>(
        `select level, index, root from seal_tiles
         join unnest($2::smallint[], $3::bigint[]) asked (level, index) using (level, index)
         where seal = $1 and root is not null`,
        [seal, asked.map(({ level }) => level), asked.map(({ index }) => index)],
      );
      return kept.rows;
    },

    tile: (index) => tileWhere('tile.index = $2', index),
    tileAt: (position) => tileWhere('tile.position >= $2 order by tile.position limit 1', position),
  };
}

/** The public keys of the sealers of this log. */
export interface SealKeys {
  /** Publishes a key, for good. */
  publish(key: SealJwk): Promise<void>;
  list(): Promise<SealJwk[]>;
}

export const createSealKeys = (pool: pg.Pool): SealKeys => ({
  async publish(jwk) {
    await pool.query('insert into seal_keys (key_id, jwk) values ($1, $2) on conflict do nothing', [
      jwk.kid,
      JSON.stringify(jwk),
    ]);
  },
  async list() {
    const { rows } = await pool.query<{ jwk: SealJwk }>('select jwk from seal_keys order by key_id');
    return rows.map(({ jwk }) => jwk);
  },
});
