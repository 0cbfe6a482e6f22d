import { z } from 'zod';

/** What `limit` and `cursor` of a list ask for; `cursor` is `nextCursor` of the page before. */
export interface Paging {
  cursor?: string | undefined;
  limit: number;
}
export interface Page<T> {
  data: T[];
  nextCursor: string | null;
}

/** Where the next page starts, as clients see it: base64url of a small JSON, which they are not to look into. */
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
    /** The cursor of a page that starts at a place. */
    at,

    /** The place a cursor stands for; throws `ZodError` for one that this list did not make. */
    read: (cursor: string | undefined): z.output<T> | undefined => shape.parse({ cursor }).cursor as never,

    /** A page from rows of which one more than `limit` was asked for. */
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

/** A place in a list that is ordered by position in the log. */
export const byPosition = cursorOf(z.strictObject({ position: z.int().min(0) }));
