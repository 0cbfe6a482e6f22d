import { plain, texts } from '../kit/array-parameters.ts';
import type { Statement } from './projection.ts';

/** Returns a column of id lists, each an array literal in itself. */
export const lists = (values: readonly (readonly string[])[]): Buffer =>
  texts(values.map((ids) => `{${ids.join()}}`));

/** A column of a batch of rows. */
export interface Column<R> {
  /** Its type in SQL. */
  type: string;
  /** True if its values are sent as texts, to be cast to the type. */
  isCast: boolean;
  /** Returns its values as an array of PostgreSQL. */
  valuesOf: (rows: readonly R[]) => string | Buffer;
}

const columnOf =
  <V>(type: string, arrayOf: (values: readonly V[]) => string | Buffer, isCast = false) =>
  <R>(value: (row: R) => V): Column<R> => ({ type, isCast, valuesOf: (rows) => arrayOf(rows.map(value)) });

/** Builds a column of a type from a function that returns its value for a row. */
export const column = {
  uuid: columnOf<string | null>('uuid', plain),
  bigint: columnOf<number | null>('bigint', plain),
  int: columnOf<number>('int', plain),
  boolean: columnOf<boolean>('boolean', plain),
  timestamptz: columnOf<string | null>('timestamptz', plain),
  tsvector: columnOf<string | null>('tsvector', texts, true),
  jsonb: columnOf<string | null>('jsonb', texts, true),
  /** Keywords, which need no quotes. */
  word: columnOf<string | null>('text', plain),
  /** Text of users. */
  text: columnOf<string | null>('text', texts),
  /** Lists of ids, each as text to be cast to `uuid[]`. */
  ids: columnOf<readonly string[]>('text', lists),
};

/**
 * Creates a function that builds a statement for a batch of rows; its text is the same for every batch. In
 * `text`, `names` lists the columns and `batch` is a table `b` with these columns and a row for each row of
 * the batch. Without rows it returns no statement.
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
  const parameters = all.map(({ type, isCast }, index) => `$${index + 1}::${isCast ? 'text' : type}[]`);
  const sent = `unnest(${parameters.join(', ')}) b (${names})`;
  const values = Object.entries(columns).map(([key, { type, isCast }]) => (isCast ? `${key}::${type}` : key));
  const batch = all.some(({ isCast }) => isCast) ? `(select ${values.join(', ')} from ${sent}) b` : sent;
  const sql = text({ names, batch });
  return (rows) =>
    rows.length === 0 ? [] : [{ name, text: sql, values: all.map(({ valuesOf }) => valuesOf(rows)) }];
}
