import { z } from 'zod';

/** PostgreSQL stores no NUL, and a lone surrogate is not valid UTF-8: both are refused at the edge. */
const isStorable = (value: string) => !value.includes('\u0000') && value.isWellFormed();

/** Text of `min` to `max` characters (code points, so an emoji counts once), without NUL and lone surrogates. */
export const text = (min: number, max: number) =>
  z
    .string()
    .min(min)
    .max(2 * max)
    .refine((value) => value.length <= max || [...value].length <= max, `Too long: at most ${max} characters`)
    .refine(isStorable, 'Must not contain NUL characters or lone surrogates');
