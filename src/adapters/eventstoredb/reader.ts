import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import {
  type EventStore,
  EventStoreUnavailable,
  type Metadata,
  type Position,
  type Recorded,
  type Revision,
  type StoredEvent,
  StreamDamaged,
} from '../../events/event-store.ts';
import { UNKNOWN, UnreadableEvent, fromStored, isUnknown } from '../../events/stored-events.ts';
import type { Stream } from '../../events/streams.ts';
import { share } from '../../kit/gather.ts';
import { type PreparedAppend, unavailable } from '../event-log/batch.ts';
import type { OnUnknown } from '../postgres/event-log/reader.ts';
import type { ProposedEvent } from './append-stream.ts';
import { DELETED, type EventStoreDbClient, type Filter, ServerSilent, type StoredRecord } from './client.ts';

type Category<S extends Stream = Stream> = S extends `${infer C}-${string}` ? C : never;
const categories: Record<Category, true> = {
  account: true,
  job: true,
  application: true,
  chatGroup: true,
  conversation: true,
  file: true,
  grant: true,
  hold: true,
};
/** Returns true for an event that the server itself wrote, such as the tombstone of a stream. */
export const isOfServer = ({ type }: StoredRecord): boolean => type.startsWith('$');
const TOMBSTONE = '$streamDeleted';
const TICKS_PER_MS = 10_000n;

/** Called with the reason why a stream of ours is damaged, each time this is noticed. */
export type OnDamage = (damage: { stream: Stream; reason: string }) => void;

/** Everything else on the server is not ours. */
export const OUR_STREAMS: Filter = { streams: Object.keys(categories).map((category) => `${category}-`) };
export const isOurs = ({ stream }: StoredRecord): boolean =>
  Object.hasOwn(categories, stream.slice(0, Math.max(0, stream.indexOf('-'))));

/** The names with a dollar are EventStoreDB's own; its projection by correlation id and its tools read them. */
const metadataSchema = z.object({
  $correlationId: z.string(),
  $causationId: z.string().optional(),
  actorId: z.string().nullable(),
  reliedOn: z.record(z.string(), z.int()).optional(),
  occurredAt: z.iso.datetime({ precision: 3 }),
  v: z.int(),
});

const toStoredMetadata = (
  { actorId, correlationId, causationId, reliedOn }: Metadata,
  occurredAt: string,
  v: number,
): z.infer<typeof metadataSchema> => ({
  $correlationId: correlationId,
  ...(causationId !== null && { $causationId: causationId }),
  actorId,
  ...(reliedOn && { reliedOn }),
  occurredAt,
  v,
});

/** Returns the events of an append in the form in which EventStoreDB stores them. */
export const toProposed = ({ append, occurredAt, events }: PreparedAppend): ProposedEvent[] =>
  events.map(({ id, type, v, json }) => ({
    id,
    type,
    data: Buffer.from(json),
    metadata: Buffer.from(JSON.stringify(toStoredMetadata(append.metadata, occurredAt, v))),
  }));

/**
 * Decodes a record. Events of newer code become `UNKNOWN`. Throws `UnreadableEvent`, which names the
 * position, for a record that is not one of our events in a known shape.
 */
function toRecorded(record: StoredRecord, onUnknown: OnUnknown): Recorded {
  const { id, stream, revision, position } = record;
  const parsed = metadataSchema.safeParse(parseJson(record.metadata));
  try {
    if (!parsed.success)
      throw new UnreadableEvent(`${record.type}: ${parsed.error.issues[0]?.message ?? 'bad metadata'}`);
    const { $correlationId, $causationId = null, actorId, reliedOn, occurredAt, v: storedV } = parsed.data;
    const { type, data, v } = fromStored({
      type: record.type,
      v: storedV,
      data: parseJson(record.data),
    });
    if (isUnknown({ type })) onUnknown({ type: record.type, v, position });
    const metadata: Metadata = {
      actorId,
      correlationId: $correlationId,
      causationId: $causationId,
      ...(reliedOn && { reliedOn }),
    };
    return { type, data, v, id, stream, revision, position, occurredAt, metadata } as Recorded;
  } catch (error) {
    if (!(error instanceof UnreadableEvent)) throw error;
    throw new UnreadableEvent(`the event at position ${position} cannot be read: ${error.message}`);
  }
}

/** Returns a record as it is. What is not one of our events has an empty time and version 0. */
function toStoredEvent(record: StoredRecord): StoredEvent {
  const { position, stream, revision, id, type, data, metadata, created } = record;
  const parsed = metadataSchema.safeParse(parseJson(metadata));
  return {
    ...{ position, stream, revision, id, type },
    v: parsed.data?.v ?? 0,
    occurredAt: parsed.data?.occurredAt ?? '',
    recordedAt: created === '' ? null : new Date(Number(BigInt(created) / TICKS_PER_MS)).toISOString(),
    data: textOf(data),
    metadata: textOf(metadata),
  };
}

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();

/** Returns the value; undefined for bytes that are not JSON. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(bytes));
  } catch {
    return undefined;
  }
}

/** Number of events of a page that the server does not filter. */
const UNFILTERED_PAGE = 2_000;
/**
 * Time between two looks at the end of the log, and at the index of ids. Under load more appends share one then,
 * which costs as much as several appends.
 */
export const LOOK_REST_MS = 3;
const BACKWARDS_PAGE = { first: 2, most: 4_096 };

export interface LogInEventStoreDb extends Pick<
  EventStore,
  'readStream' | 'readAll' | 'readStored' | 'head'
> {
  /**
   * Decodes records of our streams, without those that cannot be read. They concern their stream alone, whose
   * revisions then have a gap.
   */
  decode(records: readonly StoredRecord[]): Recorded[];
  /** Returns true if the stream is known to have a tombstone. */
  isDeleted(stream: Stream): boolean;
  /** Resolves with the place of a stream's last event; undefined without events. */
  last(stream: Stream): Promise<{ revision: Revision; position: Position } | undefined>;
  /** Returns the reason why the last read failed; undefined when it succeeded. */
  failure(): string | undefined;
}

const MOST_DELETED = 10_000;

/**
 * Creates the reading side of the log on EventStoreDB. Anybody with access to the server can delete a stream of
 * ours, truncate it or write to it: what cannot be read is left out and reported, so that the other streams go
 * on. Rejects with `EventStoreUnavailable`.
 */
export function createEventStoreDbReader({
  client,
  seen,
  onUnknown = () => {},
  onDamage = () => {},
}: {
  client: EventStoreDbClient;
  /** Returns the position up to which this process has seen the log, and that of the last readable event there. */
  seen: () => { head: Position; readable: Position };
  onUnknown?: OnUnknown | undefined;
  onDamage?: OnDamage | undefined;
}): LogInEventStoreDb {
  const deleted = new LRUCache<Stream, true>({ max: MOST_DELETED });
  let trouble: string | undefined;
  /** The end of the server's log at the last look, and the last event of ours there. */
  let known = { end: 0, ours: 0 };

  async function reading<T>(read: () => Promise<T>): Promise<T> {
    try {
      const result = await read();
      trouble = undefined;
      return result;
    } catch (error) {
      if (error instanceof EventStoreUnavailable) throw error;
      trouble = error instanceof Error ? error.message : String(error);
      throw unavailable('EventStoreDB cannot be read', error);
    }
  }

  function noteDeleted(stream: Stream): void {
    deleted.set(stream, true);
    onDamage({ stream, reason: DELETED });
  }

  function tryToDecode(record: StoredRecord): Recorded | undefined {
    const { stream, type } = record;
    try {
      if (!isOfServer(record)) return toRecorded(record, onUnknown);
      if (type === TOMBSTONE) noteDeleted(stream);
      else onDamage({ stream, reason: `has an event of the server: ${type}` });
    } catch (error) {
      if (!(error instanceof UnreadableEvent)) throw error;
      onDamage({ stream, reason: error.message });
    }
    return undefined;
  }

  const decode = (records: readonly StoredRecord[]): Recorded[] =>
    records.flatMap((record) => tryToDecode(record) ?? []);
  const isReadable = (record: StoredRecord): boolean => isOurs(record) && tryToDecode(record) !== undefined;

  /** Resolves with the records of a stream. A deleted stream has none. */
  const recordsOf = (stream: Stream, from: Revision | 'end', limit: number): Promise<StoredRecord[]> =>
    client.readStream(stream, from, limit).catch((error: unknown) => {
      if (!(error instanceof StreamDamaged)) throw error;
      noteDeleted(stream);
      return [];
    });

  /** Resolves with events from a revision on. A page without any that can be read does not end the stream. */
  async function readOn(stream: Stream, from: Revision, limit: number): Promise<Recorded[]> {
    for (let next = from; ;) {
      const page = await recordsOf(stream, next, limit);
      if (page[0] && page[0].revision > next)
        onDamage({ stream, reason: `has been truncated before revision ${page[0].revision}` });
      const events = decode(page);
      if (events.length > 0 || page.length < limit) return events;
      next = page.at(-1)!.revision + 1;
    }
  }

  /**
   * Finds the last event of ours. The server's own events may be many, so it looks back only to where it has
   * looked, or this process has seen, before.
   */
  async function lookBack(): Promise<Position> {
    let before: Position | 'end' = 'end';
    let end: Position | undefined;
    for (let size = BACKWARDS_PAGE.first; ; size = Math.min(size * 8, BACKWARDS_PAGE.most)) {
      const page = await client.readBackwards(before, size);
      end ??= page[0]?.position ?? 0;
      const [looked, tail] = [known, seen()];
      const isKnown = ({ position }: StoredRecord) => position <= Math.max(looked.end, tail.head);
      const stop = page.find((event) => isKnown(event) || isReadable(event));
      if (!stop && page.length === size) {
        before = page.at(-1)!.position;
        continue;
      }
      const ours = stop && !isKnown(stop) ? stop.position : Math.max(looked.ours, tail.readable);
      if (end > known.end) known = { end, ours };
      return ours;
    }
  }

  /** Resolves with what `take` makes of the records of our streams after a position, at most `limit`. */
  async function scan<T>(
    { after, limit }: { after: Position; limit: number },
    wanted: Filter,
    take: (record: StoredRecord) => T[],
  ): Promise<T[]> {
    const found: T[] = [];
    let filter: Filter | undefined = wanted;
    for (let from = after; ;) {
      // The event at `from` comes again.
      const size: number = filter ? limit - found.length + 1 : UNFILTERED_PAGE;
      const page = await client.readForwards(from, size, filter).catch((error: unknown) => {
        if (filter && error instanceof ServerSilent) return undefined;
        throw error;
      });
      if (!page) {
        // The log has a long stretch of other events, which the server passes over without a sign.
        filter = undefined;
        continue;
      }
      for (const event of page) {
        if (found.length === limit) return found;
        if (event.position > from && isOurs(event)) found.push(...take(event));
      }
      if (found.length === limit || page.length < size) return found;
      from = page.at(-1)!.position;
    }
  }

  return {
    head: share(() => reading(lookBack), { restMs: LOOK_REST_MS }),
    failure: () => trouble,
    decode,
    isDeleted: (stream) => deleted.has(stream),
    readStream: (stream, { from = 0, limit = 1_000 } = {}) => reading(() => readOn(stream, from, limit)),
    last: (stream) => reading(async () => (await recordsOf(stream, 'end', 1))[0]),
    readAll: ({ after, limit, types }) =>
      reading(() =>
        scan({ after, limit }, filterFor(types), (event) =>
          isOfServer(event) || wants(event.type, types) ? decode([event]) : [],
        ),
      ),
    readStored: ({ after, limit }) =>
      reading(() => scan({ after, limit }, OUR_STREAMS, (event) => [toStoredEvent(event)])),
  };
}

/** A reader that asks for events of newer code, the index of ids, wants every event. */
const wants = (type: string, types: readonly string[] | undefined): boolean =>
  !types || types.includes(type) || types.includes(UNKNOWN);

const filterFor = (types: readonly string[] | undefined): Filter =>
  types && !types.includes(UNKNOWN) ? { types: [...types, TOMBSTONE] } : OUR_STREAMS;
