import type { Statement } from './projection.ts';

/**
 * A batch's column as an array literal of PostgreSQL: a fraction of what the driver's encoding of arrays costs.
 * For values that need no quotes: ids, numbers, times, words of our own.
 */
export const plain = (values: readonly (string | number | boolean | null)[]): string =>
  `{${values.map((value) => value ?? 'NULL').join()}}`;

/** The same for text that people wrote. */
export const quoted = (values: readonly (string | null)[]): string =>
  `{${values.map((value) => (value === null ? 'NULL' : `"${value.replace(/["\\]/g, '\\$&')}"`)).join()}}`;

/** A column of id lists, each an array literal in itself. */
export const lists = (values: readonly (readonly string[])[]): string =>
  `{${values.map((ids) => `"{${ids.join()}}"`).join()}}`;

/** A column of a batch of rows: its type in SQL, and its values as an array literal. */
export interface Column<R> {
  type: string;
  literal: (rows: readonly R[]) => string;
}

const columnOf =
  <V>(type: string, literal: (values: readonly V[]) => string) =>
  <R>(value: (row: R) => V): Column<R> => ({ type, literal: (rows) => literal(rows.map(value)) });

/** Makes a column of a type from what gives its value for a row. */
export const column = {
  uuid: columnOf<string | null>('uuid', plain),
  bigint: columnOf<number | null>('bigint', plain),
  int: columnOf<number>('int', plain),
  boolean: columnOf<boolean>('boolean', plain),
  timestamptz: columnOf<string | null>('timestamptz', plain),
  tsvector: columnOf<string | null>('tsvector', plain),
  jsonb: columnOf<string | null>('jsonb', quoted),
  /** Words of our own. */
  word: columnOf<string | null>('text', plain),
  /** Text that people wrote. */
  text: columnOf<string | null>('text', quoted),
  /** Lists of ids, each a text to be cast to `uuid[]`. */
  ids: columnOf<readonly string[]>('text', lists),
};

/**
 * Makes a statement about a batch of rows; its text is the same for every batch. In `text`, `names` lists the columns and
 * `batch` is a table `b` with these columns and a row for each row of the batch. Without rows there is no statement.
 */
export function statementAbout<R>({
  name,
  columns,
  text,
}: {
  name: string;
  columns: Record<string, Column<R>>;
  text: (sql: { names: string; batch: string }) => string;
}): (rows: readonly R[]) => Statement[] {
  const names = Object.keys(columns).join(', ');
  const all = Object.values(columns);
  const parameters = all.map(({ type }, index) => `$${index + 1}::${type}[]`).join(', ');
  const sql = text({ names, batch: `unnest(${parameters}) b (${names})` });
  return (rows) =>
    rows.length === 0 ? [] : [{ name, text: sql, values: all.map(({ literal }) => literal(rows)) }];
}
