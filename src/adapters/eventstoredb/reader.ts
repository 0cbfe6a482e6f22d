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
import { type Open, type TextSeal, type Unopened, withoutText } from '../../events/personal-text.ts';
import {
  shapeVersion,
  KeyMissing,
  UNKNOWN,
  UnreadableEvent,
  fromStored,
  isUnknown,
} from '../../events/stored-events.ts';
import { type Stream, categories, isOurs as isOurStream } from '../../events/streams.ts';
import { share } from '../../kit/gather.ts';
import { reasonOf } from '../../kit/reason.ts';
import { type PreparedAppend, unavailable } from '../event-log/batch.ts';
import type { OnUnknown } from '../postgres/event-log/reader.ts';
import type { ProposedEvent } from './append-stream.ts';
import { DELETED, type EventStoreDbClient, type Filter, ServerSilent, type StoredRecord } from './client.ts';

/** Returns true for an event that the server itself wrote, such as the tombstone of a stream. */
export const isOfServer = ({ type }: StoredRecord): boolean => type.startsWith('$');
const TOMBSTONE = '$streamDeleted';
const TICKS_PER_MS = 10_000n;

/** Called with the reason why a stream of ours is damaged, each time this is noticed. */
export type OnDamage = (damage: { stream: Stream; reason: string }) => void;

/** Everything else on the server is not ours. */
export const OUR_STREAMS: Filter = { streams: categories.map((category) => `${category}-`) };
export const isOurs = ({ stream }: StoredRecord): boolean => isOurStream(stream);

/** The names with a dollar are EventStoreDB's own; its projection by correlation id and its tools read them. */
const metadataSchema = z.object({
  $correlationId: z.string(),
  $causationId: z.string().optional(),
  actorId: z.string().nullable(),
  reliedOn: z.record(z.string(), z.int()).optional(),
  trace: z.string().optional(),
  via: z.object({ clientId: z.string() }).optional(),
  occurredAt: z.iso.datetime({ precision: 3 }),
  v: z.int(),
});

const toStoredMetadata = (
  { actorId, correlationId, causationId, reliedOn, trace, via }: Metadata,
  occurredAt: string,
  v: number,
): z.infer<typeof metadataSchema> => ({
  $correlationId: correlationId,
  ...(causationId !== null && { $causationId: causationId }),
  actorId,
  ...(reliedOn && { reliedOn }),
  ...(trace !== undefined && { trace }),
  ...(via && { via }),
  occurredAt,
  v,
});

/** Returns the events of an append in the form in which EventStoreDB stores them. */
export const toProposed = ({ append, occurredAt, events }: PreparedAppend): ProposedEvent[] =>
  events.map(({ id, type, storedV, json }) => ({
    id,
    type,
    data: Buffer.from(json),
    metadata: Buffer.from(JSON.stringify(toStoredMetadata(append.metadata, occurredAt, storedV))),
  }));

/** A record of one of our events, parsed but not yet checked. */
interface Parsed extends Unopened {
  record: StoredRecord;
  v: number;
  metadata: Metadata;
}

/** Parses a record. Throws `UnreadableEvent` for one that is not one of our events. */
function parse(record: StoredRecord): Parsed {
  const { id, stream, type } = record;
  const { success, data: parsed, error } = metadataSchema.safeParse(parseJson(record.metadata));
  if (!success) throw unreadable(record, `${type}: ${error.issues[0]?.message ?? 'bad metadata'}`);
  const { $correlationId, $causationId = null, actorId, reliedOn, trace, via, occurredAt, v } = parsed;
  const metadata: Metadata = {
    actorId,
    correlationId: $correlationId,
    causationId: $causationId,
    ...(reliedOn && { reliedOn }),
    ...(trace !== undefined && { trace }),
    ...(via && { via }),
  };
  const data = parseJson(record.data);
  return { record, id, stream, type, v: shapeVersion(v), data, occurredAt, metadata };
}

/**
 * Decodes an event. Events of newer code become `UNKNOWN`. Throws `UnreadableEvent`, which names the position, for
 * an event in an unknown shape, or whose text cannot be opened.
 */
function toRecorded(event: Parsed, open: (event: Parsed) => unknown, onUnknown: OnUnknown): Recorded {
  const { record, id, stream, occurredAt, metadata } = event;
  const { revision, position } = record;
  try {
    const { type, data, v } = fromStored({ type: event.type, v: event.v, data: open(event) });
    if (isUnknown({ type })) onUnknown({ type: event.type, v, position });
    return { type, data, v, id, stream, revision, position, occurredAt, metadata } as Recorded;
  } catch (error) {
    if (!(error instanceof UnreadableEvent) || error instanceof KeyMissing) throw error;
    throw unreadable(record, error.message);
  }
}

const unreadable = ({ position }: StoredRecord, reason: string) =>
  new UnreadableEvent(`the event at position ${position} cannot be read: ${reason}`);

/** Returns a record as it is. What is not one of our events has an empty time and version 0. */
export function toStoredEvent(record: StoredRecord): StoredEvent {
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

/** The bytes of an event without any, such as a tombstone, are no `Uint8Array`. */
const textOf = (bytes: Uint8Array): string =>
  bytes.length === 0 ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();

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
   * revisions then have a gap. Returns a promise while keys must be fetched.
   */
  decode(records: readonly StoredRecord[]): Recorded[] | Promise<Recorded[]>;
  /** Returns true for an event of ours in a shape that can be read. */
  isReadable(record: StoredRecord): boolean;
  /** Returns true if the stream is known to have a tombstone. */
  isDeleted(stream: Stream): boolean;
  /** Resolves with the place of a stream's last event; undefined without events. */
  last(stream: Stream): Promise<{ revision: Revision; position: Position } | undefined>;
  /** Resolves with the position of the last event on the server, whosever it is. */
  end(): Promise<Position>;
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
  textSeal,
  seen,
  onUnknown = () => {},
  onDamage = () => {},
}: {
  client: EventStoreDbClient;
  textSeal: TextSeal;
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
      trouble = reasonOf(error);
      throw unavailable('EventStoreDB cannot be read', error);
    }
  }

  function noteDeleted(stream: Stream): void {
    deleted.set(stream, true);
    onDamage({ stream, reason: DELETED });
  }

  /** Returns what `read` returns; undefined for a record that cannot be read, which is reported. */
  function orReport<T>(record: StoredRecord, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      // All streams may lack their keys, where this process follows the log with another database.
      if (!(error instanceof UnreadableEvent) || error instanceof KeyMissing) throw error;
      onDamage({ stream: record.stream, reason: error.message });
      return undefined;
    }
  }

  function tryToParse(record: StoredRecord): Parsed | undefined {
    const { stream, type } = record;
    if (!isOfServer(record)) return orReport(record, () => parse(record));
    if (type === TOMBSTONE) noteDeleted(stream);
    else onDamage({ stream, reason: `has an event of the server: ${type}` });
    return undefined;
  }

  const tryToDecode = (event: Parsed, open: (event: Parsed) => unknown): Recorded | undefined =>
    orReport(event.record, () => toRecorded(event, open, onUnknown));

  function decode(records: readonly StoredRecord[]): Recorded[] | Promise<Recorded[]> {
    const parsed = records.flatMap((record) => tryToParse(record) ?? []);
    const decoded = (open: Open) =>
      parsed.flatMap((event, n) => tryToDecode(event, () => open(event, n)) ?? []);
    const opening = textSeal.openFor(parsed);
    return opening instanceof Promise ? opening.then(decoded) : decoded(opening);
  }

  function isReadable(record: StoredRecord): boolean {
    if (!isOurs(record)) return false;
    const event = tryToParse(record);
    return event !== undefined && tryToDecode(event, withoutText) !== undefined;
  }

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
      const events = await decode(page);
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
    take: (records: StoredRecord[]) => T[] | Promise<T[]>,
  ): Promise<T[]> {
    let found: T[] = [];
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
      found = found.concat(await take(page.filter((event) => event.position > from && isOurs(event))));
      if (found.length >= limit || page.length < size) return found.slice(0, limit);
      from = page.at(-1)!.position;
    }
  }

  return {
    head: share(() => reading(lookBack), { restMs: LOOK_REST_MS }),
    end: () => reading(async () => (await client.readBackwards('end', 1))[0]?.position ?? 0),
    failure: () => trouble,
    decode,
    isReadable,
    isDeleted: (stream) => deleted.has(stream),
    readStream: (stream, { from = 0, limit = 1_000 } = {}) => reading(() => readOn(stream, from, limit)),
    last: (stream) => reading(async () => (await recordsOf(stream, 'end', 1))[0]),
    readAll: ({ after, limit, types }) =>
      reading(() =>
        scan({ after, limit }, filterFor(types), (records) =>
          decode(records.filter((event) => isOfServer(event) || wants(event.type, types))),
        ),
      ),
    readStored: ({ after, limit }) =>
      reading(() => scan({ after, limit }, OUR_STREAMS, (records) => records.map(toStoredEvent))),
  };
}

/** A reader that asks for events of newer code, the index of ids, wants every event. */
const wants = (type: string, types: readonly string[] | undefined): boolean =>
  !types || types.includes(type) || types.includes(UNKNOWN);

const filterFor = (types: readonly string[] | undefined): Filter =>
  types && !types.includes(UNKNOWN) ? { types: [...types, TOMBSTONE] } : OUR_STREAMS;
