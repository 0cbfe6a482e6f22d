import { z } from 'zod';
import { text } from '../events/text.ts';

/** An id in an answer. Ids in requests are branded, see events/ids.ts. */
export const Id = z.uuid();
export const Time = z.iso.datetime({ precision: 3 });
export const Seq = z.int().min(0);
export const Position = z
  .string()
  .meta({ description: 'Opaque. Send it as X-Min-Position with a query that has to show this.' });

export const Epoch = z.string().meta({
  description:
    'Of the log. It changes when the log was restored to an earlier state: seqs and positions of before mean nothing then.',
});

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;

/** The number of items of a page. */
export const Limit = z
  .string()
  .regex(/^\d{1,3}$/)
  .transform(Number)
  .pipe(z.int().min(1).max(MAX_LIMIT))
  .default(DEFAULT_LIMIT)
  .meta({ type: 'integer', pattern: undefined, minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT });

/** A seq in a query string. */
export const seqParameter = (description: string) =>
  z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number)
    .pipe(Seq)
    .meta({ type: 'integer', pattern: undefined, minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description });

const MOST_IDS = 100;

/** Ids in a query string, separated by commas; some clients repeat the parameter instead. Each counts once. */
export const idsParameter = <T extends z.ZodType<string, string>>(id: T) =>
  z
    .union([z.string(), z.array(z.string())])
    .transform((given) => [given].flat().join(',').split(','))
    .pipe(z.array(id).min(1).max(MOST_IDS))
    .transform((ids) => [...new Set(ids)])
    .meta({
      ...{ type: 'array', anyOf: undefined, oneOf: undefined, items: { type: 'string', format: 'uuid' } },
      ...{ minItems: 1, maxItems: MOST_IDS, description: 'Repeated, or separated by commas' },
    });

/** A condition in a query string. */
export const Flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** The text of a search. */
export const Words = text(1, 200).meta({ description: 'Words, "phrases", or, -not' });
export const Cursor = text(1, 512).meta({ description: 'nextCursor of the page before' });
export const paging = { cursor: Cursor.optional(), limit: Limit };

/** A page of a list. `nextCursor` leads to the next page; null on the last one. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ data: z.array(item), nextCursor: z.string().nullable() });

/** Loose, so that a password that is too short or too long is a wrong password, not a bad request. */
export const PresentPassword = text(1, 1_000);
/** Just as loose. Spaces and dashes in a code do not count. */
export const TotpCode = text(1, 100);

/** The answer of a command without other results. */
export const Done = z.object({ position: Position }).meta({ id: 'Done' });

/** An answer without fields so far. */
export const Empty = z.object({}).meta({ id: 'Empty' });

/** Returns the schema of a command's body: its input without the fields that path, token or server supply. */
export function bodyOf<I extends object, K extends keyof I & string>(
  { input }: { input: z.ZodType<I> },
  ...given: K[]
): z.ZodType<Omit<I, K>> {
  if (!(input instanceof z.ZodObject)) throw new TypeError('a command’s input is an object');
  const fields = Object.entries(input.shape).filter(([name]) => !given.some((each) => each === name));
  const checks = (input.def.checks ?? []) as z.core.$ZodCheck<Record<string, unknown>>[];
  const body = z
    .strictObject(Object.fromEntries(fields))
    .check(...checks)
    .meta(input.meta() ?? {});
  return body as unknown as z.ZodType<Omit<I, K>>;
}

/** The token in a link of a letter. */
export const LinkToken = text(0, 4_096);

/** The query of such a link. Mail programs add parameters of their own, which are ignored. */
export const LinkQuery = z.object({ token: LinkToken });
