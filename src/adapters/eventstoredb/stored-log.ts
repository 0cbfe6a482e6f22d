import { type ServiceError, status } from '@grpc/grpc-js';
import { type EventFilter, matches } from '../../audit/filter.ts';
import { lastRevision } from '../../audit/moment.ts';
import { LOOK_MS, PositionUnknown, type StoredLog, lookForEffects } from '../../audit/stored-log.ts';
import {
  type EventStore,
  EventStoreUnavailable,
  type Position,
  type Revision,
  StreamDamaged,
} from '../../events/event-store.ts';
import type { Stream } from '../../events/streams.ts';
import { unavailable } from '../event-log/batch.ts';
import { type EventStoreDbClient, type Filter, ServerSilent, type StoredRecord } from './client.ts';
import { OUR_STREAMS, isOurs, toStoredEvent } from './reader.ts';

const PAGE = 1_000;
/** Number of events of a page that the server does not filter. */
const UNFILTERED_PAGE = 2_000;
/** Time for which the server is not asked to filter, after it has searched too long without a result. */
const REST_MS = 60_000;

/** The next events on the way through the log, and whether they are the last. */
interface Page {
  records: StoredRecord[];
  isEnd: boolean;
}

/**
 * Creates the audits' view of the log, on a connection of its own. A filter by stream reads that stream. Otherwise the
 * server filters by type or by category, and all else is checked event by event.
 */
export function createStoredLog({
  client,
  store,
}: {
  client: EventStoreDbClient;
  store: Pick<EventStore, 'readStored' | 'head'>;
}): StoredLog {
  let filterAgainAt = 0;

  async function reading<T>(read: () => Promise<T>, after: Position = 0): Promise<T> {
    try {
      return await read();
    } catch (error) {
      if (error instanceof EventStoreUnavailable) throw error;
      // Nothing else of a reading comes from outside.
      if ((error as ServiceError).code === status.INVALID_ARGUMENT) throw new PositionUnknown(after);
      throw unavailable('EventStoreDB cannot be read', error);
    }
  }

  /** Resolves with the records of a stream. A deleted stream has none. */
  const recordsOf = (stream: Stream, from: Revision | 'end', limit: number): Promise<StoredRecord[]> =>
    client.readStream(stream, from, limit).catch((error: unknown) => {
      if (error instanceof StreamDamaged) return [];
      throw error;
    });

  /** Resolves with what the server finds; undefined when it may search for long, which shows no progress. */
  async function search(from: Position, wanted: Filter): Promise<Page | undefined> {
    if (performance.now() < filterAgainAt) return undefined;
    try {
      // The event at `from` comes again.
      const { events, isEnd } = await client.search(from, PAGE + 1, wanted, LOOK_MS);
      const records = events.filter(({ position }) => position > from);
      if (isEnd || records.length > 0) return { records, isEnd };
    } catch (error) {
      if (!(error instanceof ServerSilent)) throw error;
    }
    filterAgainAt = performance.now() + REST_MS;
    return undefined;
  }

  async function* alongLog(after: Position, wanted: Filter): AsyncGenerator<Page> {
    for (let from = after; ;) {
      let page = await search(from, wanted);
      if (!page) {
        const records = await client.readForwards(from, UNFILTERED_PAGE);
        page = { records, isEnd: records.length < UNFILTERED_PAGE };
      }
      yield page;
      from = page.records.at(-1)?.position ?? from;
    }
  }

  async function* alongStream(stream: Stream, first: Revision): AsyncGenerator<Page> {
    for (let from = first; ;) {
      const records = await recordsOf(stream, from, PAGE);
      yield { records, isEnd: records.length < PAGE };
      from = records.at(-1)!.revision + 1;
    }
  }

  /**
   * Resolves with the first revision after a position. Undefined for a stream without its first events: it was deleted or
   * truncated, and the log may have them still.
   */
  async function revisionAfter(stream: Stream, after: Position): Promise<Revision | undefined> {
    const eventAt = async (revision: Revision) => (await recordsOf(stream, revision, 1))[0];
    const [first, [last]] = await Promise.all([eventAt(0), recordsOf(stream, 'end', 1)]);
    if (first?.revision !== 0 || !last) return undefined;
    const isBefore = ({ position }: StoredRecord) => position <= after;
    return (await lastRevision(last.revision, isBefore, eventAt)) + 1;
  }

  async function wayOf(filter: EventFilter, after: Position): Promise<AsyncGenerator<Page>> {
    const { stream } = filter;
    const first = stream === undefined ? undefined : await revisionAfter(stream, after);
    return first === undefined ? alongLog(after, filterOf(filter)) : alongStream(stream!, first);
  }

  return {
    causedBy: lookForEffects(store),
    read: (filter, { after, limit }) =>
      reading(async () => {
        const began = performance.now();
        const head = await store.head();
        const found: ReturnType<typeof toStoredEvent>[] = [];
        let to = after;
        for await (const { records, isEnd } of await wayOf(filter, after)) {
          for (const record of records) {
            if (record.position <= after) continue;
            to = record.position;
            if (!isOurs(record)) continue;
            const event = toStoredEvent(record);
            if (matches(filter, event) && found.push(event) === limit)
              return { events: found, to, isEnd: isEnd && record === records.at(-1) };
          }
          if (isEnd) return { events: found, to: Math.max(to, head), isEnd };
          if (performance.now() - began > LOOK_MS) break;
        }
        return { events: found, to, isEnd: false };
      }, after),
    ofStream: (stream, { from, limit }) =>
      reading(async () => {
        for (let next = from; ;) {
          const records = await recordsOf(stream, next, limit);
          // What another program wrote there is no event.
          const events = records.map(toStoredEvent).filter(({ v }) => v > 0);
          if (events.length > 0 || records.length < limit) return events;
          next = records.at(-1)!.revision + 1;
        }
      }),
  };
}

/** Returns the most selective filter that the server has for this one. */
function filterOf({ stream, category, types }: EventFilter): Filter {
  if (stream !== undefined) return { streams: [stream] };
  if (types) return { types };
  return category === undefined ? OUR_STREAMS : { streams: [`${category}-`] };
}
