import type { Stream } from '../events/streams.ts';
import type { EventStore, Position, Revision, StoredEvent } from '../events/event-store.ts';
import type { EventFilter } from './filter.ts';
import { metadataOf } from './line.ts';

export interface StoredPage {
  events: StoredEvent[];
  /** The position up to which the log was looked through. */
  to: Position;
  /** True if that was the end of the log. */
  isEnd: boolean;
}

/** There is no such position in the log. Where positions are counts, there is none that is unknown. */
export class PositionUnknown extends Error {
  override readonly name = 'PositionUnknown';

  constructor(position: Position) {
    super(`the log has no position ${position}`);
  }
}

/** The port of what audits read of the log, as it is stored. */
export interface StoredLog {
  /**
   * Resolves with the events after a position that the filter leaves in, ascending, at most `limit`. It looks for
   * a moment only, so there may be fewer, and none, although more follow. Rejects with `PositionUnknown`.
   */
  read(filter: EventFilter, page: { after: Position; limit: number }): Promise<StoredPage>;
  /** Resolves with the events of one stream from a revision on, ascending, at most `limit`. */
  ofStream(stream: Stream, page: { from: Revision; limit: number }): Promise<StoredEvent[]>;
  /**
   * Resolves with the events that an event is the direct cause of, ascending, at most `limit`. `isComplete` is false
   * when there may be more.
   */
  causedBy(
    cause: Pick<StoredEvent, 'id' | 'position'>,
    limit: number,
  ): Promise<{ events: StoredEvent[]; isComplete: boolean }>;
}

/** How long one read looks for events, in milliseconds. */
export const LOOK_MS = 500;
const PAGE = 1_000;
/**
 * Number of events after a cause among which its effects are looked for. Automations run at once, so nearly all
 * effects are among the first few.
 */
const MOST_AFTER = 20_000;

/** Creates the search for what an event caused, over a log that has no index of causes. */
export const lookForEffects =
  ({ readStored }: Pick<EventStore, 'readStored'>): StoredLog['causedBy'] =>
  async ({ id, position }, limit) => {
    const found: StoredEvent[] = [];
    let looked = 0;
    for (let after = position; looked < MOST_AFTER;) {
      const page = await readStored({ after, limit: PAGE });
      for (const event of page)
        if (metadataOf(event).causationId === id && found.push(event) > limit)
          return { events: found.slice(0, limit), isComplete: false };
      if (page.length < PAGE) return { events: found, isComplete: true };
      after = page.at(-1)!.position;
      looked += page.length;
    }
    return { events: found, isComplete: false };
  };
