import pg from 'pg';
import type { Position, Revision } from '../../../events/event-store.ts';
import type { Stream } from '../../../events/streams.ts';

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

const UNDEFINED_TABLE = '42P01';

/** The index that src/projections/event-ids.ts keeps. Before it is made, nothing is indexed. */
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
