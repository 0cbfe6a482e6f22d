import { z } from 'zod';

/** The paging of a list; `cursor` is `nextCursor` of the previous page. */
export interface Paging {
  cursor?: string | undefined;
  limit: number;
}
export interface Page<T> {
  data: T[];
  nextCursor: string | null;
}

/**
 * Creates the cursors of a list. A cursor is the place where the next page starts, as base64url of a small
 * JSON value, which is opaque to clients.
 */
export function cursorOf<T extends z.ZodType>(place: T) {
  const json = z.string().transform((cursor, context) => {
    try {
      return JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown;
    } catch {
      context.addIssue('Must be a nextCursor of this list');
      return z.NEVER;
    }
  });
  const shape = z.object({ cursor: json.pipe(place).optional() });
  const at = (start: z.input<T>) => Buffer.from(JSON.stringify(start)).toString('base64url');

  return {
    /** Returns the cursor of a page that starts at a place. */
    at,

    /** Returns the place of a cursor. Throws `ZodError` for a cursor that is not from this list. */
    read: (cursor: string | undefined): z.output<T> | undefined => shape.parse({ cursor }).cursor as never,

    /** Builds a page from the rows of a query with a limit of `limit` + 1. */
    page<R, D>(
      rows: readonly R[],
      limit: number,
      placeOf: (last: R) => z.input<T>,
      view: (row: R) => D,
    ): Page<D> {
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      const hasMore = rows.length > limit && last !== undefined;
      return { data: shown.map(view), nextCursor: hasMore ? at(placeOf(last)) : null };
    },
  };
}

/** Cursors of a list that is ordered by position in the log. */
export const byPosition = cursorOf(z.strictObject({ position: z.int().min(0) }));
