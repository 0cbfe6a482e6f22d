import { z } from 'zod';

/** Returns true if PostgreSQL can store the value. It stores no NUL, and a lone surrogate is not valid UTF-8. */
const isStorable = (value: string) => !value.includes('\u0000') && value.isWellFormed();

/**
 * Creates a schema for text of `min` to `max` characters (code points, so an emoji counts once), without NUL
 * and lone surrogates.
 */
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

/**
 * Returns true if the value shows something: more than spaces, controls, marks without a base, and characters
 * that Unicode calls ignorable. U+2800 is the blank of Braille.
 */
const isVisible = (value: string) =>
  /[^\p{White_Space}\p{Cc}\p{Cf}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u.test(value);

/** Requires a visible character, in text that other users are to read. The pattern says what every engine understands. */
export const visible = (schema: z.ZodString) =>
  schema
    .refine(isVisible, 'Must contain a visible character')
    .meta({ pattern: '\\S', description: 'Contains a visible character' });

/** Embeddings, overrides and isolates, which affect more than the text that contains them (UAX #9). */
const BIDI_CONTROLS = /[\u202A-\u202E\u2066-\u2069]/gu;

/**
 * Creates the schema of a name, which is shown among other text: in NFC, without controls that change the
 * direction of the text around it.
 */
export const named = (schema: z.ZodString) =>
  visible(schema.overwrite((value) => value.replace(BIDI_CONTROLS, '').normalize('NFC')));
