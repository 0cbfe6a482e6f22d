import { setImmediate as turn } from 'node:timers/promises';
import pg from 'pg';
import type { EventStore, Metadata, Position, Recorded, StoredEvent } from '../../../events/event-store.ts';
import type { TextSeal, Unopened } from '../../../events/personal-text.ts';
import { gather } from '../../../kit/gather.ts';
import {
  KeyMissing,
  UnreadableEvent,
  fromStored,
  isUnknown,
  shapeVersion,
} from '../../../events/stored-events.ts';
import type { Stream } from '../../../events/streams.ts';
import { unavailable } from '../../event-log/batch.ts';
import { columnTypes } from '../connection.ts';

/** Called for every event that newer code wrote, each time it is read. */
export type OnUnknown = (event: { type: string; v: number; position: Position }) => void;

/** A row in the order of COLUMNS. Reading rows as arrays takes two thirds of the time. */
type Row<D, M> = [
  position: number,
  stream: Stream,
  revision: number,
  id: string,
  type: string,
  v: number,
  data: D,
  metadata: M,
  occurredAt: string,
];
type EventRow = Row<unknown, Metadata>;

/** A row with the stored JSON as it is. */
export type StoredRow = [...Row<string, string>, recordedAt: string | null];

const [JSON_TEXT, TIMESTAMPTZ] = [114, 1184];

/** Converts a time in UTC as PostgreSQL writes it, `2026-01-31 23:59:59.12+00`, to RFC 3339 with milliseconds. */
const rfc3339 = (time: string): string =>
  `${time.slice(0, 10)}T${time.slice(11, 19)}.${time.slice(20, -3).padEnd(3, '0')}Z`;

/** Types without Date: making one for each event would cost more than the rest of its row. */
const eventTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === TIMESTAMPTZ ? rfc3339 : columnTypes.getTypeParser(oid, format)),
};

/** Types that leave the stored JSON as it is. */
export const storedTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === JSON_TEXT ? (json: string) => json : eventTypes.getTypeParser(oid, format),
};

const COLUMNS = 'position, stream, revision, id, type, v, data, metadata, occurred_at';

/** The columns of a `StoredRow`. */
export const STORED_COLUMNS = `${COLUMNS}, recorded_at`;

const statements = {
  log_stream: `select ${COLUMNS} from events where stream = $1 and revision >= $2 order by revision limit $3`,
  log_all: `select ${COLUMNS} from events where position > $1 order by position limit $2`,
  log_stored: `select ${STORED_COLUMNS} from events where position > $1 order by position limit $2`,
  log_types: `select ${COLUMNS} from events where position > $1 and position <= $4 and type = any ($3) order by position limit $2`,
  log_ids: `select ${COLUMNS} from events where id = any ($1) order by position`,
  log_head: 'select position from log_head',
  log_revisions: `
    select asked.stream, last.revision from unnest($1::text[]) asked (stream)
    cross join lateral (
      select e.revision from events e where e.stream = asked.stream order by e.revision desc limit 1
    ) last`,
};

/**
 * Positions that one statement of a read by type covers. The first statement covers about a page, because PostgreSQL may
 * sort everything in the range. Each further one covers twice as many, up to what fits into the statement timeout.
 */
const [MIN_WINDOW, MAX_WINDOW] = [1_000, 1_000_000];

export interface LogReader extends Pick<
  EventStore,
  'readStream' | 'readAll' | 'readStored' | 'find' | 'head' | 'revisions'
> {
  findAll(ids: string[]): Promise<Recorded[]>;
}

/**
 * Creates the reading side of the log. Events of newer code are read as `UNKNOWN`, and `onUnknown` is called
 * with them. An event that cannot be read stops the read with `UnreadableEvent` and is never skipped. Rejects
 * with `EventStoreUnavailable` when the database is out of reach.
 */
export function createLogReader(
  pool: pg.Pool,
  textSeal: TextSeal,
  onUnknown: OnUnknown = () => {},
): LogReader {
  async function rows<T extends unknown[]>(
    name: keyof typeof statements,
    values: unknown[],
    types = eventTypes,
  ): Promise<T[]> {
    try {
      const text = statements[name];
      const query = { name, text, values, types, rowMode: 'array' } as const;
      return (await pool.query<T>(query)).rows;
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.code?.startsWith('22')) throw error;
      throw unavailable('the log cannot be read', error);
    }
  }
  const read = async (name: keyof typeof statements, values: unknown[]): Promise<Recorded[]> =>
    toRecorded(await rows<EventRow>(name, values), textSeal, onUnknown);
  const findAll = (ids: string[]) => read('log_ids', [ids]);
  const head = async () => (await rows<[position: number]>('log_head', []))[0]![0];

  async function readTypes(after: Position, limit: number, types: readonly string[]): Promise<Recorded[]> {
    const end = await head();
    const found: Recorded[] = [];
    let window = Math.max(limit, MIN_WINDOW);
    for (let from = after; from < end && found.length < limit;) {
      const to = from + window;
      found.push(...(await read('log_types', [from, limit - found.length, types, to])));
      from = to;
      window = Math.min(window * 2, MAX_WINDOW);
    }
    return found;
  }

  return {
    readStream: (stream, { from = 0, limit = 1_000 } = {}) => read('log_stream', [stream, from, limit]),
    readAll: ({ after, limit, types }) =>
      types ? readTypes(after, limit, types) : read('log_all', [after, limit]),
    async readStored({ after, limit }) {
      return (await rows<StoredRow>('log_stored', [after, limit], storedTypes)).map(toStoredEvent);
    },
    findAll,
    find: gather(async (ids: string[]) => new Map((await findAll(ids)).map((event) => [event.id, event]))),
    head,
    async revisions(streams) {
      return new Map(await rows<[stream: Stream, revision: number]>('log_revisions', [streams]));
    },
  };
}

export function toStoredEvent(row: StoredRow): StoredEvent {
  const [position, stream, revision, id, type, v, data, metadata, occurredAt, recordedAt] = row;
  return { position, stream, revision, id, type, v, occurredAt, recordedAt, data, metadata };
}

/** Validating a page of large events can block the event loop: the reader yields after this many milliseconds. */
const SLICE_MS = 5;
/** Number of rows validated between two checks of the clock. */
const UNTIMED_ROWS = 8;

async function toRecorded(rows: EventRow[], textSeal: TextSeal, onUnknown: OnUnknown): Promise<Recorded[]> {
  const unopened = rows.map(toUnopened);
  const opening = textSeal.openFor(unopened);
  const open = opening instanceof Promise ? await opening : opening;
  const events: Recorded[] = [];
  let begun = performance.now();
  for (const [n, row] of rows.entries()) {
    if (
      events.push(fromRow(row, () => open(unopened[n]!, n), onUnknown)) % UNTIMED_ROWS > 0 ||
      performance.now() - begun < SLICE_MS
    )
      continue;
    await turn();
    begun = performance.now();
  }
  return events;
}

const toUnopened = ([, stream, , id, type, storedV, data, metadata, occurredAt]: EventRow): Unopened => ({
  ...{ type, v: shapeVersion(storedV), data, id, stream, occurredAt, metadata },
});

function fromRow(row: EventRow, open: () => unknown, onUnknown: OnUnknown): Recorded {
  const [position, stream, revision, id, storedType, storedV, , metadata, occurredAt] = row;
  try {
    const { type, data, v } = fromStored({
      type: storedType,
      v: shapeVersion(storedV),
      data: open(),
    });
    if (isUnknown({ type })) onUnknown({ type: storedType, v, position });
    return { type, data, v, id, stream, revision, position, occurredAt, metadata } as Recorded;
  } catch (error) {
    if (!(error instanceof UnreadableEvent)) throw error;
    const Unreadable = error instanceof KeyMissing ? KeyMissing : UnreadableEvent;
    throw new Unreadable(`the event at position ${position} cannot be read: ${error.message}`);
  }
}
