import type pg from 'pg';
import type { Projection } from '../../../projections/projection.ts';
import { inTransaction } from '../transactions.ts';

export const nextOf = (name: string) => `${name}_next`;
export const previousOf = (name: string) => `${name}_previous`;

/** Creates an empty schema with the projection's tables. */
export async function createTables(
  client: pg.ClientBase,
  schema: string,
  { tables }: Projection,
): Promise<void> {
  await client.query(`
    create schema ${schema};
    set local search_path to ${schema};
    ${tables}`);
}

/** Creates the indexes, and everything else that reading needs. */
export async function createIndexes(
  client: pg.ClientBase,
  schema: string,
  { indexes }: Projection,
): Promise<void> {
  await client.query(`set local search_path to ${schema}; ${indexes}`);
}

/** Creates the indexes of the next version, once it is filled, and what the planner knows about it. */
export async function completeNext(owner: pg.ClientBase, projection: Projection): Promise<void> {
  const next = nextOf(projection.name);
  await inTransaction(owner, () => createIndexes(owner, next, projection));
  const tables = await tablesOf(owner, next);
  await owner.query(`analyze ${tables.map((table) => `${next}.${table}`).join()}`);
}

/** Removes a version of a read model, if there is one, and its checkpoint. */
export const dropVersion = (owner: pg.ClientBase, schema: string): Promise<void> =>
  inTransaction(owner, async () => {
    await owner.query(`drop schema if exists ${schema} cascade`);
    await owner.query('delete from public.checkpoints where name = $1', [schema]);
  });

export async function schemaExists(client: pg.ClientBase, schema: string): Promise<boolean> {
  const { rowCount } = await client.query('select from pg_namespace where nspname = $1', [schema]);
  return rowCount === 1;
}

export async function tablesOf(client: pg.ClientBase, schema: string): Promise<string[]> {
  const { rows } = await client.query<{ tablename: string }>(
    'select tablename from pg_tables where schemaname = $1 order by tablename',
    [schema],
  );
  return rows.map(({ tablename }) => tablename);
}
