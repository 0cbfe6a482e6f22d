import { isCollection } from 'immutable';
import type { Recorded } from '../../events/event-store.ts';

const VALUE_BYTES = 16;
/** Size of an id with a word in a persistent map. */
export const MEMBER_BYTES = 150;

/**
 * Returns about how many bytes a value takes in memory. Persistent collections are counted by size and not
 * traversed, because they may be large.
 */
export function bytesOf(value: unknown): number {
  if (typeof value === 'string') return VALUE_BYTES + 2 * value.length;
  if (typeof value !== 'object' || value === null) return VALUE_BYTES;
  if (isCollection(value)) return VALUE_BYTES + (value as unknown as { size: number }).size * MEMBER_BYTES;
  return Object.values(value).reduce<number>(
    (bytes, part) => bytes + VALUE_BYTES + bytesOf(part),
    VALUE_BYTES,
  );
}

/** Size of an event without its data: its place in the log, and its causes. */
const EVENT_BYTES = 600;

/** Returns about how many bytes some events take in memory. */
export const bytesOfEvents = (events: readonly Recorded[]): number =>
  events.reduce((bytes, event) => bytes + EVENT_BYTES + bytesOf(event.data), 0);
