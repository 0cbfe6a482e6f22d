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
