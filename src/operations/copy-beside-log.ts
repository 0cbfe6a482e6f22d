import type pg from 'pg';
import { inTransaction } from '../adapters/postgres/transactions.ts';

const PAGE = 1_000;

/** Tables of the log itself, and those that a database has of its own. */
const NOT_COPIED = [
  ...['events', 'streams', 'log_head', 'log_identity', 'schema_migrations', 'text_keys'],
  ...['seals', 'seal_tiles', 'seal_keys', 'scrubs', 'leases', 'nodes'],
];

/** Tables whose rows in the target are replaced. */
const REPLACED: readonly string[] = ['log_epochs'];

/** Read models are made anew when a server starts, from nothing. */
const ROWS: Record<string, string> = {
  checkpoints: 'where name not in (select nspname from pg_namespace)',
};

/**
 * Copies what a database has beside its log into another one whose log has the same events at the same positions:
 * accounts, sessions, notifications, where readers stand, the epochs. Other rows that are there stay, so it can be repeated. Needs the
 * owners' connections. Resolves with the number of rows by table.
 */
export async function copyBesideLog(from: pg.Client, to: pg.Client): Promise<Map<string, number>> {
  const copied = new Map<string, number>();
  await inTransaction(from, async () => {
    await from.query('set transaction isolation level repeatable read read only');
    for (const table of await tablesOf(from)) copied.set(table, await copyTable(from, to, table));
  });
  return copied;
}

/** Resolves with the tables to copy, each after those that it refers to. */
async function tablesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; parents: string[] }>(
    `select t.tablename as name, coalesce(array_agg(p.relname::text) filter (where p.relname is not null), '{}') as parents
     from pg_tables t
     left join pg_constraint c on c.conrelid = format('public.%I', t.tablename)::regclass and c.contype = 'f'
     left join pg_class p on p.oid = c.confrelid
     where t.schemaname = 'public' and t.tablename <> all ($1) group by 1 order by 1`,
    [NOT_COPIED],
  );
  const ordered = new Set<string>();
  while (ordered.size < rows.length)
    for (const { name, parents } of rows)
      if (parents.every((parent) => ordered.has(parent) || parent === name)) ordered.add(name);
  return [...ordered];
}

async function copyTable(from: pg.Client, to: pg.Client, table: string): Promise<number> {
  const name = `public.${from.escapeIdentifier(table)}`;
  if (REPLACED.includes(table)) await to.query(`delete from ${name}`);
  await from.query(
    `declare rest cursor for select row_to_json(t)::text as row from ${name} t ${ROWS[table] ?? ''}`,
  );
  let copied = 0;
  for (;;) {
    const { rows } = await from.query<{ row: string }>(`fetch ${PAGE} from rest`);
    if (rows.length === 0) break;
    const { rowCount } = await to.query(
      `insert into ${name} select * from json_populate_recordset(null::${name}, $1) on conflict do nothing`,
      [`[${rows.map(({ row }) => row).join()}]`],
    );
    copied += rowCount ?? 0;
  }
  await from.query('close rest');
  return copied;
}
