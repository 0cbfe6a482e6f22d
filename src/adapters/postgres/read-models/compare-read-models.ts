import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Position } from '../../../events/event-store.ts';
import { type LoadReadModel, type Loaded, loadReadModel } from './load-read-model.ts';
import { followerName } from './projections.ts';
import { nextOf, tablesOf } from './read-model-schemas.ts';
import { inTransaction } from '../transactions.ts';

/** A row that only one of the two has, as JSON. */
export interface DifferentRow {
  isLive: boolean;
  row: string;
}

export interface Difference {
  table: string;
  live: number;
  next: number;
  /** The first rows that differ, those with the same key one after the other; as many as were asked for. */
  rows: DifferentRow[];
}

/** Longest time that a lagging live version may take to catch up. */
const LIVE_BEHIND_MS = 5_000;

/** The position of a rebuilt version after catching up with the live one. */
export interface Leveled extends Loaded {
  /** True if the writer has a snapshot open that shows both versions at this position. */
  isLevel: boolean;
}

/**
 * Brings the rebuilt rows to the position of the live ones, and opens a snapshot of both on the writer. The live
 * version waits only until then, not until the snapshot is read.
 */
export async function levelWithLive(owner: pg.Client, load: LoadReadModel): Promise<Leveled> {
  const { name, version, handles } = load.projection;
  for (const deadline = Date.now() + LIVE_BEHIND_MS; ; await pause(50)) {
    const loaded = await inTransaction(owner, level);
    if (loaded) return { ...loaded, isLevel: true };
    const live = await checkpointOf();
    const isComing = live?.version === version && (await isFollowed(owner, name));
    if (!isComing || Date.now() > deadline) return { position: load.after, events: 0, isLevel: false };
  }

  async function checkpointOf(lock = '') {
    const { rows } = await owner.query<{ position: Position; version: number }>(
      `select position, version from public.checkpoints where name = $1 ${lock}`,
      [name],
    );
    return rows[0];
  }

  /** Locks the live version meanwhile. */
  async function level(): Promise<Loaded | undefined> {
    const live = await checkpointOf('for update');
    if (live?.version !== version) return undefined;
    if (live.position < load.after) {
      const [missing] = await load.store.readAll({ after: live.position, limit: 1, types: handles });
      if (missing && missing.position <= load.after) return undefined;
    }
    const isAhead = live.position > load.after;
    const loaded = isAhead
      ? await loadReadModel({ ...load, until: live.position })
      : { position: load.after, events: 0 };
    const { client } = load.writer;
    await client.query('begin isolation level repeatable read read only');
    await client.query('select from public.checkpoints');
    return loaded;
  }
}

/** Resolves with true if some process keeps the live version up with the log. */
async function isFollowed(client: pg.Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query(
    'select from pg_stat_activity where datname = current_database() and application_name = $1',
    [followerName(name)],
  );
  return rowCount !== 0;
}

/** Compares row counts and hashes of both versions, as the snapshot shows them, and ends it. */
export async function compareWithLive(
  snapshot: pg.Client,
  name: string,
  mostRows: number,
): Promise<Difference[]> {
  const differences: Difference[] = [];
  try {
    for (const table of await tablesOf(snapshot, name)) {
      const live = await digest(snapshot, `${name}.${table}`);
      const next = await digest(snapshot, `${nextOf(name)}.${table}`);
      if (live.count !== next.count || live.hash !== next.hash) {
        const rows = mostRows > 0 ? await differentRows(snapshot, name, { table, mostRows }) : [];
        differences.push({ table, live: live.count, next: next.count, rows });
      }
    }
  } finally {
    await snapshot.query('commit').catch(() => {});
  }
  return differences;
}

/** Resolves with rows that only one of the two versions has. A column that differs shows in both of a pair. */
async function differentRows(
  snapshot: pg.Client,
  name: string,
  { table, mostRows }: { table: string; mostRows: number },
): Promise<DifferentRow[]> {
  const json = (schema: string) => `select row_to_json(t)::text as row from ${schema}.${table} t`;
  const [live, next] = [json(name), json(nextOf(name))];
  const { rows } = await snapshot.query<DifferentRow>(
    `select "isLive", row from (
       select true as "isLive", row from (${live} except all ${next}) l
       union all select false, row from (${next} except all ${live}) n
     ) d order by row, "isLive" desc limit $1`,
    [mostRows],
  );
  return rows;
}

/**
 * Resolves with count and hash of a table. The sum of the rows' hashes does not depend on their order.
 * PostgreSQL hashes every type here except `tsvector`.
 */
async function digest(client: pg.Client, table: string): Promise<{ count: number; hash: string }> {
  const columns = await client.query<{ list: string }>(
    `select string_agg(format(case atttypid when 'tsvector'::regtype then 'tsvectorsend(%I)' else '%I' end, attname),
       ', ' order by attnum) as list
     from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
    [table],
  );
  const { rows } = await client.query<{ count: number; hash: string }>(
    `select count(*), coalesce(sum(hash_record_extended(t, 0)), 0)::text as hash
     from (select ${columns.rows[0]!.list} from ${table}) t`,
  );
  return rows[0]!;
}
