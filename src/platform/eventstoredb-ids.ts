import type { Position, Revision } from '../events/event-store.ts';
import type { Stream } from '../events/streams.ts';

/** Where an event is that EventStoreDB holds. */
export interface KnownId {
  id: string;
  stream: Stream;
  revision: Revision;
  position: Position;
}

/** What finds events by their ids, which EventStoreDB does not: kept up with the log by a projection, a little behind it. */
export interface EventIds {
  /** Those of the ids that are indexed. */
  find(ids: readonly string[]): Promise<KnownId[]>;
  /** Every event up to there is indexed. */
  position(): Promise<Position>;
}
