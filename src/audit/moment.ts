import { NO_STREAM, type Position, type Revision } from '../events/event-store.ts';

/** A moment in the history of the log. Without either, it is now. */
export interface Moment {
  /** RFC 3339 in UTC with milliseconds: the events that had happened by then. */
  at?: string | undefined;
  /** The events up to this position. */
  atPosition?: Position | undefined;
}

/** Returns a predicate: the event had happened by the moment. */
export const happenedBy =
  ({ at, atPosition }: Moment) =>
  ({ occurredAt, position }: { occurredAt: string; position: Position }): boolean =>
    (at === undefined || occurredAt <= at) && (atPosition === undefined || position <= atPosition);

/**
 * Resolves with the last revision up to `head` whose event holds; `NO_STREAM` when none does. It asks for a few
 * events only, because those for which the predicate holds come before all others.
 */
export async function lastRevision<E>(
  head: Revision,
  holds: (event: E) => boolean,
  eventAt: (revision: Revision) => Promise<E | undefined>,
): Promise<Revision> {
  let [low, high] = [NO_STREAM, head];
  while (low < high) {
    const middle = Math.floor((low + high + 1) / 2);
    const event = await eventAt(middle);
    if (event !== undefined && holds(event)) low = middle;
    else high = middle - 1;
  }
  return low;
}
