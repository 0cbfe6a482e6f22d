import { isCollection } from 'immutable';
import type { Recorded } from '../../events/event-store.ts';

const VALUE_BYTES = 16;
/** Of an id with a word in a persistent map. */
export const MEMBER_BYTES = 150;

/** About how much memory a value takes. What is in a persistent collection is not looked at: there may be much of it. */
export function bytesOf(value: unknown): number {
  if (typeof value === 'string') return VALUE_BYTES + 2 * value.length;
  if (typeof value !== 'object' || value === null) return VALUE_BYTES;
  if (isCollection(value)) return VALUE_BYTES + (value as unknown as { size: number }).size * MEMBER_BYTES;
  return Object.values(value).reduce<number>(
    (bytes, part) => bytes + VALUE_BYTES + bytesOf(part),
    VALUE_BYTES,
  );
}

/** Of an event beside its data: where it is in the log, and who caused it. */
const EVENT_BYTES = 600;

/** About how much memory some events take. */
export const bytesOfEvents = (events: readonly Recorded[]): number =>
  events.reduce((bytes, event) => bytes + EVENT_BYTES + bytesOf(event.data), 0);
