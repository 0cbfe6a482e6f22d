import type pg from 'pg';
import type { EventStore, Position } from '../../events/event-store.ts';

/** How far a follower of the log is behind it. */
export interface FollowerLag {
  follower: string;
  /** Number of events, or the distance in bytes in EventStoreDB. */
  positions: number;
  /** Age of the oldest event that it has not handled; 0 when there is none. */
  seconds: number;
  /** The part of the log that it has handled, from 0 to 1. */
  handled: number;
}

interface Row {
  follower: string;
  position: Position;
  now: Date;
}

/** The sealer has no checkpoint in that table, but signed ones, at the place $2. */
const POSITIONS = `
  select name as follower, position, clock_timestamp() as now from checkpoints where name = any ($1)
  union all
  select 'seal', (checkpoint ->> 'position')::bigint, clock_timestamp() from seals
  where place = $2 and checkpoint is not null`;

/**
 * Returns a function that reads from the tables how far followers are: any process can tell, also when the one that
 * leads a follower is gone. A follower that has never run is left out.
 */
export function createFollowerLags({
  pool,
  store,
  followers,
  sealPlace,
}: {
  pool: Pick<pg.Pool, 'query'>;
  store: Pick<EventStore, 'head' | 'readStored'>;
  followers: readonly string[];
  /** Where the checkpoints of the sealer are kept; without it the sealer is left out. */
  sealPlace?: string;
}): () => Promise<FollowerLag[]> {
  /** Resolves with the time at which the first event after a position was stored; undefined without one. */
  async function storedAfter(after: Position): Promise<number | undefined> {
    const [event] = await store.readStored({ after, limit: 1 });
    return event && Date.parse(event.recordedAt ?? event.occurredAt);
  }

  return async () => {
    const { rows } = await pool.query<Row>(POSITIONS, [followers, sealPlace]);
    const head = await store.head();
    const since = new Map<Position, number | undefined>();
    for (const { position } of rows)
      if (position < head && !since.has(position)) since.set(position, await storedAfter(position));
    return rows.map(({ follower, position, now }) => {
      const at = since.get(position);
      return {
        follower,
        positions: Math.max(head - position, 0),
        seconds: at === undefined ? 0 : Math.max(now.getTime() - at, 0) / 1_000,
        handled: head === 0 ? 1 : Math.min(position / head, 1),
      };
    });
  };
}
