import { LRUCache } from 'lru-cache';
import type { EventStore, Position, Recorded } from '../../events/event-store.ts';
import { bytesOfEvents } from '../memory/bytes-of.ts';

/** The page size of all subscribers, so that they can share pages. */
export const PAGE = 1_000;
/** Number of pages kept. Slower subscribers find what the fastest has read, if they are not far behind. */
const PAGES_KEPT = 8;
/**
 * Size of those pages together. Eight pages of ordinary messages take 10 MiB, of long ones in two-byte
 * letters 70.
 */
const MAX_BYTES = 16 * 1_048_576;

export interface Page {
  events: Recorded[];
  /** False when the read began before this request: the log may have grown since. */
  isNew: boolean;
}

/**
 * Creates reads of the log that the subscribers of one process share. They follow the same log, most of them
 * at the same place, and reading and parsing an event costs more than most of them do with it.
 */
export function createPages(reader: Pick<EventStore, 'readAll'>) {
  const underway = new Map<Position, Promise<Recorded[]>>();
  const pages = new LRUCache<Position, Recorded[]>({
    max: PAGES_KEPT,
    maxSize: MAX_BYTES,
    sizeCalculation: bytesOfEvents,
  });

  /** Resolves with the events after a position, at most a page of them. Rejects as the log does. */
  return async function pageAfter(after: Position): Promise<Page> {
    const known = pages.get(after) ?? underway.get(after);
    if (known) return { events: await known, isNew: false };
    const reading = reader.readAll({ after, limit: PAGE });
    underway.set(after, reading);
    try {
      const events = await reading;
      if (events.length > 0) pages.set(after, events);
      return { events, isNew: true };
    } finally {
      underway.delete(after);
    }
  };
}
