import type pg from 'pg';
import { inTransaction } from '../adapters/postgres/transactions.ts';

const PAGE = 1_000;

/** Tables that a database has of its own: what was applied to it, who works on it, and how its read models were made. */
const OWN = ['schema_migrations', 'leases', 'nodes', 'read_model_rebuilds', 'read_model_rollbacks'];
/** Tables of the log itself, and of its seals, which hold for one log as it is stored. */
const OF_LOG = [
  ...['events', 'streams', 'log_head', 'log_identity', 'text_keys'],
  ...['seals', 'seal_tiles', 'seal_keys', 'scrubs'],
];
/** Read models are made anew when a server starts, from nothing. */
const ROWS: Record<string, string> = {
  checkpoints: 'where name not in (select nspname from pg_namespace)',
};
/** How rows are written as text, whatever the settings of a server are. */
const AS_TEXT = `set timezone to 'UTC'; set datestyle to 'ISO'; set extra_float_digits to 1; set bytea_output to 'hex'`;

/** The target has events or accounts of its own. Nothing was changed. */
export class NotEmpty extends Error {
  override readonly name = 'NotEmpty';
}

/** A copy is not what it was made from. It was given up. */
export class CopyDiffers extends Error {
  override readonly name = 'CopyDiffers';
}

/**
 * Copies what a database has beside its log into another one whose log has the same events at the same positions:
 * accounts, sessions, notifications, where readers stand, the epochs. Other rows that are there stay, so it can be repeated. Needs the
 * owners' connections. Resolves with the number of rows by table.
 */
export function copyBesideLog(from: pg.Client, to: pg.Client): Promise<Map<string, number>> {
  return inSnapshot(from, async () => {
    const copied = new Map<string, number>();
    for (const table of await tablesOf(from, [...OWN, ...OF_LOG])) {
      if (table === 'log_epochs') await to.query('delete from public.log_epochs');
      copied.set(table, await copyTable(from, to, table));
    }
    return copied;
  });
}

/**
 * Copies a database as it is at one moment into an empty one of the same version, and compares the two, in one
 * transaction. Servers may use the first one meanwhile. Needs the owners' connections. Resolves with the number of rows
 * by table. Throws `NotEmpty`.
 */
export function copyDatabase(from: pg.Client, to: pg.Client): Promise<Map<string, number>> {
  return inSnapshot(from, () =>
    inTransaction(to, async () => {
      await requireEmpty(to);
      const tables = await tablesOf(from, OWN);
      // A migration leaves rows such as the first epoch. Nobody may delete events, of which there are none.
      for (const table of tables.toReversed())
        if (table !== 'events') await to.query(`delete from ${nameOf(to, table)}`);
      const copied = new Map<string, number>();
      for (const table of tables) copied.set(table, await copyTable(from, to, table));
      await to.query(`select setval(pg_get_serial_sequence('public.seals', 'id'), max(id)) from seals`);
      await compare(from, to, tables);
      return copied;
    }),
  );
}

const inSnapshot = <T>(client: pg.Client, work: () => Promise<T>): Promise<T> =>
  inTransaction(client, async () => {
    await client.query('set transaction isolation level repeatable read read only');
    return work();
  });

const nameOf = (client: pg.Client, table: string) => `public.${client.escapeIdentifier(table)}`;

async function requireEmpty(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ isEmpty: boolean }>(
    'select not exists (select from public.events) and not exists (select from public.credentials) as "isEmpty"',
  );
  if (!rows[0]!.isEmpty)
    throw new NotEmpty('The target has events or accounts already: use an empty database');
}

/** Resolves with the tables to copy, each after those that it refers to. */
async function tablesOf(client: pg.Client, except: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string; parents: string[] }>(
    `select t.tablename as name, coalesce(array_agg(p.relname::text) filter (where p.relname is not null), '{}') as parents
     from pg_tables t
     left join pg_constraint c on c.conrelid = format('public.%I', t.tablename)::regclass and c.contype = 'f'
     left join pg_class p on p.oid = c.confrelid
     where t.schemaname = 'public' and t.tablename <> all ($1) group by 1 order by 1`,
    [except],
  );
  const ordered = new Set<string>();
  while (ordered.size < rows.length)
    for (const { name, parents } of rows)
      if (parents.every((parent) => ordered.has(parent) || parent === name || except.includes(parent)))
        ordered.add(name);
  return [...ordered];
}

async function copyTable(from: pg.Client, to: pg.Client, table: string): Promise<number> {
  const name = nameOf(from, table);
  await from.query(
    `declare rest cursor for select row_to_json(t)::text as row from ${name} t ${ROWS[table] ?? ''}`,
  );
  let copied = 0;
  for (;;) {
    const { rows } = await from.query<{ row: string }>(`fetch ${PAGE} from rest`);
    if (rows.length === 0) break;
    const { rowCount } = await to.query(
      `insert into ${name} overriding system value
       select * from json_populate_recordset(null::${name}, $1) on conflict do nothing`,
      [`[${rows.map(({ row }) => row).join()}]`],
    );
    copied += rowCount ?? 0;
  }
  await from.query('close rest');
  return copied;
}

/** Throws `CopyDiffers` unless all rows of the tables are the same, in whatever order. */
async function compare(from: pg.Client, to: pg.Client, tables: readonly string[]): Promise<void> {
  for (const client of [from, to]) await client.query(AS_TEXT);
  for (const table of tables) {
    const digest = async (client: pg.Client, where = '') => {
      const { rows } = await client.query<{ digest: string }>(
        `select format('%s rows, %s', count(*), sum(hashtextextended(t::text, 0))) as digest
         from ${nameOf(client, table)} t ${where}`,
      );
      return rows[0]!.digest;
    };
    const [original, copy] = await Promise.all([digest(from, ROWS[table]), digest(to)]);
    if (original !== copy) throw new CopyDiffers(`${table} was not copied right: ${original}, but ${copy}`);
  }
}
