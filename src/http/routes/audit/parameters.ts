import { z } from 'zod';
import { categories } from '../../../events/streams.ts';
import type { Position } from '../../../events/event-store.ts';
import type { Stream } from '../../../events/streams.ts';
import {
  type GivenPosition,
  POSITION_PATTERN,
  type Positions,
  parsePosition,
} from '../../../protocol/positions.ts';

/** Time limit of a look into the past, which may read a whole stream, in milliseconds. */
export const LOOK_BACK_MS = 60_000;

/** The name of a stream of ours. */
export const StreamName = z
  .string()
  .max(200)
  .regex(new RegExp(`^(?:${categories.join('|')})-[!-~]+$`), 'Must be the name of a stream')
  .transform((name) => name as Stream);

/** A position as events of the log have it, or a revision. */
export const PlainPosition = z
  .string()
  .regex(/^\d{1,15}$/, 'Must be a position that an answer contained')
  .transform(Number);

const positionLike = (pattern: string) =>
  z
    .string()
    .regex(new RegExp(pattern), 'Must be a position that an answer contained')
    .transform((text) => parsePosition(text)!);

/** A position in a query string, which some answer contained: of an event, or of a command. */
export const PositionParameter = positionLike(POSITION_PATTERN);

/** The position of an event in a query string; 0 is that of none. */
export const EventPosition = positionLike('^(?:[0-9a-z]{8}\\.)?[1-9][0-9]{0,14}$');

/** Resolves with a position that was given, once it is known that the log has it. Throws `POSITION_UNKNOWN`. */
export async function inLog(
  positions: Positions,
  given: GivenPosition | undefined,
): Promise<Position | undefined> {
  if (!given) return undefined;
  const position = positions.decode(given);
  await positions.requireInLog(position);
  return position;
}

/** A time in a query string, as RFC 3339 in UTC with milliseconds. */
export const TimeParameter = z.iso
  .datetime({ offset: true })
  .max(40)
  .transform((time) => new Date(time).toISOString());

/** Returns the schema of a whole number in a query string. */
export const countParameter = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number)
    .pipe(z.int().min(minimum).max(maximum))
    .meta({ type: 'integer', pattern: undefined, minimum, maximum });
