import type { DomainEvent } from './domain-event.ts';
import type { UserId } from './ids.ts';
import type { Stream } from './streams.ts';

/**
 * The place of an event in the whole log: ascending in commit order. PostgreSQL counts 1, 2, 3 … without
 * gaps. It is less than 2^53, so a number can hold it. Clients see it as an opaque string.
 */
export type Position = number;
/** The place of an event in its stream: 0, 1, 2 …; `NO_STREAM` is the revision of a stream without events. */
export type Revision = number;
export const NO_STREAM: Revision = -1;

export interface Metadata {
  /** The id of the user who caused the event; null for the system. */
  actorId: string | null;
  /** The id shared by all events that follow from one request. */
  correlationId: string;
  /** The id of the event that caused this one; null without such an event. */
  causationId: string | null;
  /** The revisions of other streams that the decision relied on, for audits. */
  reliedOn?: Record<string, Revision>;
  /** The id of the span that appended the event, see docs/traces.md; absent when that was not traced. */
  trace?: string;
  /** The client that acted for the actor, or as the system; absent without one. */
  via?: Via;
}

/** The program of a board that caused an event. */
export interface Via {
  clientId: string;
}

export interface NewEvent {
  /**
   * The permanent id of the event. A second append with the same id is a duplicate, whatever its other fields
   * are.
   */
  id: string;
  event: DomainEvent;
}

interface LogEntry {
  id: string;
  stream: Stream;
  revision: Revision;
  position: Position;
  /** Schema version of `data`. Always the newest one after reading, see stored-events.ts. */
  v: number;
  /** RFC 3339, UTC, milliseconds. */
  occurredAt: string;
  metadata: Metadata;
}
/** An event in the log. */
export type Recorded<E extends DomainEvent = DomainEvent> = E extends DomainEvent ? E & LogEntry : never;

/** An event as the log keeps it, for audits: nothing is decoded, and newer code may have written it. */
export interface StoredEvent {
  position: Position;
  stream: Stream;
  revision: Revision;
  id: string;
  type: string;
  v: number;
  /** RFC 3339, UTC, milliseconds; as is `recordedAt`, which is null for events from before it was kept. */
  occurredAt: string;
  recordedAt: string | null;
  /** The stored JSON, byte by byte. */
  data: string;
  metadata: string;
}

/** A stream that must not have changed in any way that matters to the decision since this revision. */
export interface Guard {
  stream: Stream;
  revision: Revision;
  /** The user whom the decision is about. Events about other users only do not break the guard. */
  about?: UserId | undefined;
}

/**
 * A guard that is further behind than this is broken, whatever the events are, because checking them would
 * cost too much.
 */
export const MOST_BEHIND = 100;

/** Returns true if an event after the revision of a guard breaks it. */
export const breaks = ({ about }: Guard, { data }: Pick<DomainEvent, 'data'>): boolean =>
  about === undefined || !('userId' in data) || data.userId === about;

export interface Append {
  stream: Stream;
  /** One or more events, which are stored together or not at all. */
  events: NewEvent[];
  /** The revision that the stream must have; `any` skips the check. */
  expected: Revision | 'any';
  /** Other streams that the decision relied on. */
  guards?: Guard[];
  occurredAt: string;
  metadata: Metadata;
}

export type Verdict =
  | { outcome: 'appended'; events: Recorded[] }
  /** The first id is in the log already; `events` are those in the log with these ids. */
  | { outcome: 'duplicate'; events: Recorded[] }
  /** The stream has another revision, or a guard on it is broken. Nothing was stored. */
  | { outcome: 'conflict'; stream: Stream; actual: Revision };

/** The append was refused, or its outcome is unknown. It is safe to repeat with the same event ids. */
export class EventStoreUnavailable extends Error {
  override readonly name = 'EventStoreUnavailable';
}

/**
 * The stream was deleted or truncated, or another program wrote to it, so its state is unknown. Other streams are
 * not affected. Repeating the append does not help.
 */
export class StreamDamaged extends Error {
  override readonly name = 'StreamDamaged';

  constructor(stream: Stream, reason: string) {
    super(`the stream ${stream} ${reason}`);
  }
}

/** The port of the log. One contract suite (test/events/event-store-contract.ts) runs against every adapter. */
export interface EventStore {
  /**
   * Resolves once the events are on stable storage. Rejects with `EventStoreUnavailable` when full or out of
   * reach, and with `StreamDamaged`.
   */
  append(append: Append): Promise<Verdict>;
  /**
   * Resolves with events of one stream, ascending, from `from` (default 0), at most `limit` (default 1,000).
   * The revisions have gaps where the stream is damaged.
   */
  readStream(stream: Stream, options?: { from?: Revision; limit?: number }): Promise<Recorded[]>;
  /**
   * Resolves with events of the whole log after a position, ascending, at most `limit`. With `types`, only
   * events of these types.
   */
  readAll(options: { after: Position; limit: number; types?: readonly string[] }): Promise<Recorded[]>;
  /** Resolves with events of the whole log after a position, as they are stored, ascending, at most `limit`. */
  readStored(options: { after: Position; limit: number }): Promise<StoredEvent[]>;
  /** Resolves with the event that has this id; undefined when there is none. */
  find(id: string): Promise<Recorded | undefined>;
  /** Resolves with the position of the last event; 0 for an empty log. */
  head(): Promise<Position>;
  /** Resolves with the revisions of those streams that have events. */
  revisions(streams: readonly Stream[]): Promise<Map<Stream, Revision>>;
  /**
   * Follows the log in order from `after`, in batches of at most `limit`, until the signal aborts. No event
   * is skipped or repeated. Events that this process appends are passed on without a read. Readers that are
   * not urgent set `lingerMs`, the time for which a batch may wait for more events, which costs far less.
   * With `types`, only events of these types are returned: a process that appends nothing does not even read
   * the others.
   */
  subscribe(options: {
    after: Position;
    limit?: number;
    lingerMs?: number;
    types?: readonly string[];
    /**
     * Called when the consumer has had all events so far and asks for more, with the position up to which
     * that holds.
     */
    onPosition?: (position: Position) => void;
    signal: AbortSignal;
  }): AsyncIterable<Recorded[]>;
}
