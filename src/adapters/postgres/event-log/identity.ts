import type pg from 'pg';
import type { EventStore, Position } from '../../../events/event-store.ts';

/** The identity of a log. */
export interface LogIdentity {
  kind: 'postgresql' | 'eventstoredb';
  /** Undefined for a log without events. */
  first: { id: string; position: Position } | undefined;
}

/** The database has followed another log than the present one. The message tells what to do. */
export class OtherLog extends Error {
  override readonly name = 'OtherLog';
}

const NAMES = { postgresql: 'the log in PostgreSQL', eventstoredb: 'the log in EventStoreDB' };

/** Resolves with the identity of a store's log. Rejects with `EventStoreUnavailable` when it is out of reach. */
export async function identify(
  kind: LogIdentity['kind'],
  store: Pick<EventStore, 'readAll'>,
): Promise<LogIdentity> {
  const [event] = await store.readAll({ after: 0, limit: 1 });
  return { kind, first: event && { id: event.id, position: event.position } };
}

interface Row {
  kind: LogIdentity['kind'];
  id: string | null;
  position: Position | null;
}

/**
 * Binds a database to this log if it has followed none yet. Throws `OtherLog` when it has followed another:
 * its checkpoints and read models would skip events, or handle them twice.
 */
export async function requireSameLog(
  pool: Pick<pg.Pool | pg.Client, 'query'>,
  { kind, first }: LogIdentity,
): Promise<void> {
  const values = [kind, first?.id ?? null, first?.position ?? null];
  await pool.query(
    `insert into public.log_identity (kind, first_event, first_position) values ($1, $2, $3)
     on conflict (only_row) do update
     set first_event = excluded.first_event, first_position = excluded.first_position
     where log_identity.kind = excluded.kind and log_identity.first_event is null`,
    values,
  );
  const { rows } = await pool.query<Row>(
    'select kind, first_event as id, first_position as position from public.log_identity',
  );
  const { kind: followed, id, position } = rows[0]!;
  if (followed !== kind)
    throw new OtherLog(
      `This database follows ${NAMES[followed]}, not ${NAMES[kind]}: ` +
        'put EVENTSTOREDB_URL back to what it was, or move the log with "npm run log -- copy"',
    );
  // As a number, however the connection parses int8.
  if (id !== null && (id !== first?.id || Number(position) !== first.position))
    throw new OtherLog(
      `This database follows ${NAMES[kind]} that begins with event ${id}, ` +
        `but this one ${first ? `begins with event ${first.id}` : 'is empty'}: is EVENTSTOREDB_URL right?`,
    );
}
