import pg from 'pg';
import type { EventFilter } from '../../../audit/filter.ts';
import { lastRevision } from '../../../audit/moment.ts';
import { LOOK_MS, type StoredLog } from '../../../audit/stored-log.ts';
import { NO_STREAM, type Position, type Revision, type StoredEvent } from '../../../events/event-store.ts';
import type { Stream } from '../../../events/streams.ts';
import { unavailable } from '../../event-log/batch.ts';
import { STORED_COLUMNS, type StoredRow, storedTypes, toStoredEvent } from './reader.ts';

/** Positions that one statement covers: at first about a page, then more, up to what fits into a moment. */
const [MIN_WINDOW, MAX_WINDOW] = [2_000, 200_000];

/**
 * Creates the audits' view of the log, on connections of its own, so that an export takes none from commands. A
 * filter by stream uses that stream's index; the others are checked event by event, in windows.
 */
export function createStoredLog(pool: Pick<pg.Pool, 'query'>): StoredLog {
  async function rows<T extends unknown[]>(text: string, values: unknown[]): Promise<T[]> {
    try {
      return (await pool.query<T>({ text, values, types: storedTypes, rowMode: 'array' } as const)).rows;
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.code?.startsWith('22')) throw error;
      throw unavailable('the log cannot be read', error);
    }
  }
  const select = async (where: string, order: string, values: unknown[]): Promise<StoredEvent[]> =>
    (
      await rows<StoredRow>(`select ${STORED_COLUMNS} from events where ${where} order by ${order}`, values)
    ).map(toStoredEvent);
  const one = async (text: string, values: unknown[]) => (await rows<[number]>(text, values))[0]?.[0];

  /** Returns the whole log as a way to walk along. */
  const wholeLog = (after: Position, end: Position): Way => ({
    where: 'true',
    values: [],
    column: 'position',
    ...{ from: after, end },
    positionOf: async (position) => position,
  });

  /** Resolves with the part of a stream after a position. */
  async function alongStream(stream: Stream, after: Position): Promise<Way> {
    const of = 'from events where stream = $1';
    const positionOf = async (revision: Revision) =>
      (await one(`select position ${of} and revision = $2`, [stream, revision])) ?? after;
    const end = (await one(`select revision ${of} order by revision desc limit 1`, [stream])) ?? NO_STREAM;
    const from =
      (await one(`select revision ${of} and position = $2`, [stream, after])) ??
      (await lastRevision(end, (position: Position) => position <= after, positionOf));
    return { where: 'stream = $1', values: [stream], column: 'revision', from, end, positionOf };
  }

  return {
    async read(filter, { after, limit }) {
      const began = performance.now();
      const head = (await one('select position from log_head', []))!;
      const { stream } = filter;
      const way = stream === undefined ? wholeLog(after, head) : await alongStream(stream, after);
      const found: StoredEvent[] = [];
      let window = Math.max(limit, MIN_WINDOW);
      for (let from = way.from; ;) {
        const to = Math.min(from + window, way.end);
        const values = [...way.values];
        const value = (given: unknown) => `$${values.push(given)}`;
        const inWindow = `${way.column} > ${value(from)} and ${way.column} <= ${value(to)}`;
        const where = [way.where, inWindow, ...conditionsOf(filter, value)].join(' and ');
        const order = `${way.column} limit ${value(limit - found.length)}`;
        found.push(...(await select(where, order, values)));
        const last = found.at(-1)?.position ?? after;
        const isEnd = to >= way.end;
        if (found.length === limit) return { events: found, to: last, isEnd: isEnd && last >= head };
        if (isEnd) return { events: found, to: Math.max(last, head), isEnd };
        if (performance.now() - began > LOOK_MS)
          return { events: found, to: await way.positionOf(to), isEnd };
        from = to;
        window = Math.min(window * 2, MAX_WINDOW);
      }
    },
    ofStream: (stream, { from, limit }) =>
      select('stream = $1 and revision >= $2', 'revision limit $3', [stream, from, limit]),
    async causedBy({ id }, limit) {
      const events = await select(`${CAUSE} = $1`, 'position limit $2', [id, limit + 1]);
      return { events: events.slice(0, limit), isComplete: events.length <= limit };
    },
  };
}

/** A series of events that can be read from one end to the other, by a column that counts them. */
interface Way {
  where: string;
  values: readonly unknown[];
  column: 'position' | 'revision';
  /** The last place before the series, and its last one. */
  from: number;
  end: number;
  positionOf: (place: number) => Promise<Position>;
}

/** The expression of the index in 0027-trace.sql. */
const CAUSE = `(metadata ->> 'causationId')`;

function conditionsOf(filter: EventFilter, value: (given: unknown) => string): string[] {
  const { category, types: wanted, actor, correlation, from, to } = filter;
  return [
    category !== undefined && `split_part(stream, '-', 1) = ${value(category)}`,
    wanted && `type = any (${value(wanted)})`,
    actor !== undefined && `metadata ->> 'actorId' is not distinct from ${value(actor)}`,
    correlation !== undefined && `metadata ->> 'correlationId' = ${value(correlation)}`,
    from !== undefined && `occurred_at >= ${value(from)}`,
    to !== undefined && `occurred_at < ${value(to)}`,
  ].filter((condition) => condition !== false && condition !== undefined);
}
