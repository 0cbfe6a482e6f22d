import type { EventStore, Position, Recorded } from '../events/event-store.ts';

/** What all subscribers read alike, so that they can share it. */
export const PAGE = 1_000;
/** Subscribers that run at different speeds find what the fastest of them has read, if they are not far behind. */
const PAGES_KEPT = 8;

export interface Page {
  events: Recorded[];
  /** False when the read had begun before it was asked for: the log may have grown since. */
  isNew: boolean;
}

/**
 * Reads of the log that the subscribers of one process share: they follow the same log, most of them at the same place,
 * and to read and parse an event costs more than most of them do with it.
 */
export function createPages(reader: Pick<EventStore, 'readAll'>) {
  const pages = new Map<Position, Promise<Recorded[]>>();

  /** The events after a position, at most a page of them. Rejects as the log does. */
  return async function pageAfter(after: Position): Promise<Page> {
    const known = pages.get(after);
    if (known) return { events: await known, isNew: false };
    const reading = reader.readAll({ after, limit: PAGE });
    pages.set(after, reading);
    const forget = () => void (pages.get(after) === reading && pages.delete(after));
    reading.then((events) => events.length === 0 && forget(), forget);
    const [oldest] = pages.keys();
    if (pages.size > PAGES_KEPT) pages.delete(oldest!);
    return { events: await reading, isNew: true };
  };
}
