import pg from 'pg';
import type { Position, Revision } from '../../../events/event-store.ts';
import type { Stream } from '../../../events/streams.ts';

/** The place of an event in EventStoreDB. */
export interface KnownId {
  id: string;
  stream: Stream;
  revision: Revision;
  position: Position;
}

/**
 * Index of events by their ids, which EventStoreDB lacks. A projection keeps it up with the log, with a small
 * delay.
 */
export interface EventIds {
  /** Resolves with those of the ids that are indexed. */
  find(ids: readonly string[]): Promise<KnownId[]>;
  /** Resolves with the position up to which every event is indexed. */
  position(): Promise<Position>;
}

/** An empty index, for programs that read the log and append nothing. */
export const noEventIds: EventIds = { find: async () => [], position: async () => 0 };

const UNDEFINED_TABLE = '42P01';

/** Creates the index that src/projections/event-ids.ts keeps. Before it is made, nothing is indexed. */
export const createEventIds = (pool: pg.Pool): EventIds => ({
  async find(ids) {
    try {
      const { rows } = await pool.query<KnownId>({
        name: 'event-ids',
        text: 'select id, stream, revision, position from event_ids.event_ids where id = any ($1)',
        values: [ids],
      });
      return rows;
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.code === UNDEFINED_TABLE) return [];
      throw error;
    }
  },
  async position() {
    const { rows } = await pool.query<{ position: Position }>({
      name: 'event-ids-position',
      text: `select position from public.checkpoints where name = 'event_ids'`,
    });
    return Number(rows[0]?.position ?? 0);
  },
});
