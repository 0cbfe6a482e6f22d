import { z } from 'zod';

/** PostgreSQL stores no NUL, and a lone surrogate is not valid UTF-8: both are refused at the edge. */
const isStorable = (value: string) => !value.includes('\u0000') && value.isWellFormed();

/** Text of `min` to `max` characters (code points, so an emoji counts once), without NUL and lone surrogates. */
export const text = (min: number, max: number) =>
  z
    .string()
    .min(min, { abort: true })
    .max(2 * max)
    .refine(
      (value) => value.length >= 2 * min || [...value].length >= min,
      `Too short: at least ${min} characters`,
    )
    .refine((value) => value.length <= max || [...value].length <= max, `Too long: at most ${max} characters`)
    .refine(isStorable, 'Must not contain NUL characters or lone surrogates')
    // JSON Schema counts code points, too.
    .meta({ maxLength: max });

/** More than spaces, controls, marks of nothing, and what Unicode says to show nothing of; U+2800 is a blank of Braille. */
const isVisible = (value: string) =>
  /[^\p{White_Space}\p{Cc}\p{Cf}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u.test(value);

/** What a client writes that others are to read. The pattern says as much as every engine understands. */
export const visible = (schema: z.ZodString) =>
  schema
    .refine(isVisible, 'Must contain a visible character')
    .meta({ pattern: '\\S', description: 'Contains a visible character' });

/** Embeddings, overrides and isolates, which reach beyond the text that they stand in (UAX #9). */
const BIDI_CONTROLS = /[\u202A-\u202E\u2066-\u2069]/gu;

/** What a client gives a name, which stands among other text: in NFC, without controls that turn what follows around. */
export const named = (schema: z.ZodString) =>
  visible(schema.overwrite((value) => value.replace(BIDI_CONTROLS, '').normalize('NFC')));
