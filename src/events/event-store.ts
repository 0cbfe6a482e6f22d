import type { DomainEvent } from './domain-event.ts';
import type { UserId } from './ids.ts';
import type { Stream } from './streams.ts';

/**
 * Where an event stands in the whole log: ascending in commit order. PostgreSQL counts 1, 2, 3 … without holes.
 * Below 2^53, so a number holds it; clients see it as an opaque string.
 */
export type Position = number;
/** Where an event stands in its stream: 0, 1, 2 …; `NO_STREAM` is the revision of a stream without events. */
export type Revision = number;
export const NO_STREAM: Revision = -1;

export interface Metadata {
  /** Who caused it; null for the system itself. */
  actorId: string | null;
  /** Names everything that followed from one request. */
  correlationId: string;
  /** The event that this one is a reaction to. */
  causationId: string | null;
  /** The revisions of other streams that the decision relied on, for auditors. */
  reliedOn?: Record<string, Revision>;
}

export interface NewEvent {
  /** Names the event for ever: a second append with the same id is a duplicate, whatever else it carries. */
  id: string;
  event: DomainEvent;
}

interface LogEntry {
  id: string;
  stream: Stream;
  revision: Revision;
  position: Position;
  /** Schema version of `data`; always the newest one once read, see stored-events.ts. */
  v: number;
  /** RFC 3339, UTC, milliseconds. */
  occurredAt: string;
  metadata: Metadata;
}
/** An event as the log holds it. */
export type Recorded<E extends DomainEvent = DomainEvent> = E extends DomainEvent ? E & LogEntry : never;

/** A stream that must not have changed, as far as the decision goes, since the revision it relied on. */
export interface Guard {
  stream: Stream;
  revision: Revision;
  /** The user whom the decision is about: events that name only other users leave the guard intact. */
  about?: UserId | undefined;
}

/** A guard that is further behind is broken whatever the events are: judging it would cost too much. */
export const MOST_BEHIND = 100;

/** Whether an event that follows on the revision of a guard breaks it. */
export const breaks = ({ about }: Guard, { data }: Pick<DomainEvent, 'data'>): boolean =>
  about === undefined || !('userId' in data) || data.userId === about;

export interface Append {
  stream: Stream;
  /** One or more; they are stored together, or not at all. */
  events: NewEvent[];
  /** The revision the stream must have; `any` appends whatever it is. */
  expected: Revision | 'any';
  /** Other streams that the decision relied on. */
  guards?: Guard[];
  occurredAt: string;
  metadata: Metadata;
}

export type Verdict =
  | { outcome: 'appended'; events: Recorded[] }
  /** The first id is in the log already: `events` is what the log holds under these ids. */
  | { outcome: 'duplicate'; events: Recorded[] }
  /** The stream stands elsewhere, or a guard on it is broken. Nothing was stored. */
  | { outcome: 'conflict'; stream: Stream; actual: Revision };

/** The append was refused or its outcome is unknown; safe to repeat with the same event ids. */
export class EventStoreUnavailable extends Error {
  override readonly name = 'EventStoreUnavailable';
}

/** The port of the log. One contract suite (test/events/event-store-contract.ts) runs against every adapter. */
export interface EventStore {
  /** Resolves once the events are on stable storage. Rejects with `EventStoreUnavailable` when full or out of reach. */
  append(append: Append): Promise<Verdict>;
  /** Events of one stream, ascending, from `from` (default 0), at most `limit` (default 1,000). */
  readStream(stream: Stream, options?: { from?: Revision; limit?: number }): Promise<Recorded[]>;
  /** Events of the whole log after a position, ascending, at most `limit`; `types` leaves the others out. */
  readAll(options: { after: Position; limit: number; types?: readonly string[] }): Promise<Recorded[]>;
  /** The event with this id. */
  find(id: string): Promise<Recorded | undefined>;
  /** The position of the last event; 0 for an empty log. */
  head(): Promise<Position>;
  /** The revisions of those streams that have events. */
  revisions(streams: readonly Stream[]): Promise<Map<Stream, Revision>>;
  /**
   * Follows the log in order from `after`, in batches of at most `limit`, without end, until the signal aborts.
   * Nothing is skipped and nothing comes twice; what this process appends is handed over without a read. Readers that
   * nobody waits for name a time for which a batch may wait for more of its kind: it costs far less. Those who name
   * `types` are not given the others: in a process that appends nothing these are not even read.
   */
  subscribe(options: {
    after: Position;
    limit?: number;
    lingerMs?: number;
    types?: readonly string[];
    /** Hears, when the consumer has had all there is for it and asks for more, up to where that was. */
    onPosition?: (position: Position) => void;
    signal: AbortSignal;
  }): AsyncIterable<Recorded[]>;
}
