import { EventStoreDBClient } from '@eventstore/db-client';
import type { ServiceError } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { type Position, type Revision, StreamDamaged } from '../../events/event-store.ts';
import type { Stream } from '../../events/streams.ts';
import { within } from '../../kit/deadline.ts';
import { closeChannel, containDiscovery } from './private-parts.ts';
import {
  BACKWARDS,
  FORWARDS,
  NOTHING,
  type ReadCall,
  type ReadRequest,
  type ReadResponse,
  openRead,
} from './wire.ts';

/** Longest silence of the server during a read. */
const READ_MS = 3_000;
/** Age from which a connection is replaced when something runs into its deadline. */
const RENEW_MS = 3_000;
/** Longest time that the calls of a connection may take to end. */
const DISPOSE_MS = 2_000;
/** A dead peer is detected after this and the library's 10 s between pings. */
const PONG_MS = 3_000;
/** Number of events that a server filters at a time. A filtered subscription sends a checkpoint after each. */
const SEARCH_WINDOW = 1_000;

/** An event as EventStoreDB returns it, before any validation. `data` and `metadata` are the stored bytes. */
export interface StoredRecord {
  id: string;
  stream: Stream;
  revision: Revision;
  position: Position;
  type: string;
  data: Uint8Array;
  metadata: Uint8Array;
  /** When the server stored it, in units of 100 ns since 1970. */
  created: string;
}

/** The events that the server returns: those of streams, or of types, with one of these prefixes. */
export type Filter = { streams: readonly string[] } | { types: readonly string[] };

export interface Following {
  /** The position after which to begin. */
  after: Position;
  filter: Filter;
  onEvent: (event: StoredRecord) => void;
  /** Called for everything that arrives, events included. */
  onSign: () => void;
  /**
   * Called when nothing more follows: with the error, or without one where the server, or this side, just
   * ended it.
   */
  onEnd: (error?: Error) => void;
}

/** The adapter's client of EventStoreDB. Rejects with the error of gRPC, or when the server falls silent. */
export interface EventStoreDbClient {
  /**
   * Resolves with events of one stream, from a revision on, or backwards from its end; empty if the stream
   * does not exist. Rejects with `StreamDamaged` if it was deleted for good.
   */
  readStream(stream: Stream, from: Revision | 'end', limit: number): Promise<StoredRecord[]>;
  /**
   * Resolves with events of all streams, including the server's own: forwards from a position on, inclusive,
   * or backwards, from the end or before a position.
   */
  readForwards(from: Position, limit: number, filter?: Filter): Promise<StoredRecord[]>;
  readBackwards(before: Position | 'end', limit: number): Promise<StoredRecord[]>;
  /**
   * Reads forwards with a filter for a moment: resolves after `enoughMs` with what was found by then, if anything was.
   * `isEnd` is true when the server has looked through the log to its end. Rejects with `ServerSilent` when it has
   * found nothing and may look for long.
   */
  search(
    from: Position,
    limit: number,
    filter: Filter,
    enoughMs: number,
  ): Promise<{ events: StoredRecord[]; isEnd: boolean }>;
  /** Follows the log. Returns a function that ends it. */
  follow(following: Following): () => void;
  /** Returns the library's client that is in use. It changes when a connection is given up. */
  connection(): EventStoreDBClient;
  /** Reports that something ran into its deadline. */
  ranLate(): void;
  close(): Promise<void>;
}

/** The reason of `StreamDamaged` for a stream with a tombstone. */
export const DELETED = 'was deleted';

/** The server was silent for too long during a read. */
export class ServerSilent extends Error {
  override readonly name = 'ServerSilent';
}

/**
 * Creates the client. The library finds the servers and keeps the connection. Reading is done here: the library's own
 * readers cost several times as much for each event, and cannot read with a filter. A connection whose peer has
 * vanished silently would last until its keepalive ends it, so it is replaced as soon as something runs into its
 * deadline.
 */
export function createEventStoreDbClient({ url, log }: { url: string; log: Logger }): EventStoreDbClient {
  let generation = 0;
  let current = connect();
  const endings = new Set<() => void>();

  function connect() {
    generation += 1;
    const parameters = url.includes('?') ? '&' : '?';
    // Channels with equal options share a connection. This option makes the connection unique.
    const client = containDiscovery(
      EventStoreDBClient.connectionString(
        `${url}${parameters}keepAliveTimeout=${PONG_MS + (generation % 1_000)}`,
      ),
    );
    return { client, since: performance.now() };
  }

  async function release(client: EventStoreDBClient): Promise<void> {
    for (const end of [...endings]) end();
    try {
      await within(client.dispose(), DISPOSE_MS, () => undefined);
      await closeChannel(client);
    } catch (err) {
      log.debug({ err }, 'a connection to EventStoreDB did not close cleanly');
    }
  }

  function ranLate(): void {
    if (performance.now() - current.since < RENEW_MS) return;
    const { client } = current;
    current = connect();
    log.warn('EventStoreDB did not answer in time; reconnecting');
    void release(client);
  }

  /** Opens a call. `onEnd` is called once, unless `cancel` was called before. */
  function open(
    request: ReadRequest,
    { onMessage, onEnd }: { onMessage: (message: ReadResponse) => void; onEnd: (error?: Error) => void },
  ): { cancel(): void } {
    let isOver = false;
    let call: ReadCall | undefined;
    const end = (error?: Error) => {
      if (isOver) return;
      isOver = true;
      onEnd(error);
    };
    const cancel = () => {
      isOver = true;
      // A call that is cancelled while it is made would throw.
      setImmediate(() => call?.cancel());
    };
    const receive = (message: ReadResponse) => {
      if (isOver) return;
      try {
        onMessage(message);
      } catch (error) {
        end(error as Error);
        cancel();
      }
    };
    openRead(current.client, request, (opened) => {
      call = opened;
      return opened
        .on('data', receive)
        .on('error', end)
        .on('end', () => end());
    }).then((opened) => isOver && opened.cancel(), end);
    return { cancel };
  }

  async function collect(request: ReadRequest): Promise<StoredRecord[]> {
    return (await collectFor(Infinity, request)).events;
  }

  /** Resolves with the events of a page, or with those that came in time, if any did. */
  function collectFor(
    enoughMs: number,
    request: ReadRequest,
  ): Promise<{ events: StoredRecord[]; isCut: boolean }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ events: StoredRecord[]; isCut: boolean }>();
    const began = performance.now();
    const events: StoredRecord[] = [];
    const isEnough = () => events.length > 0 && performance.now() - began > enoughMs;
    const cut = () => {
      resolve({ events, isCut: true });
      reading.cancel();
    };
    const timer = setTimeout(() => {
      if (isEnough()) return cut();
      reject(new ServerSilent(`EventStoreDB was silent for ${READ_MS} ms during a read`));
      reading.cancel();
      // With a filter it may be looking through many events of others.
      if (!request.filter) ranLate();
    }, READ_MS);
    const reading = open(request, {
      onMessage(message) {
        timer.refresh();
        const event = recordIn(message);
        if (event) events.push(event);
        if (isEnough()) cut();
      },
      onEnd: (error) => (error ? reject(error) : resolve({ events, isCut: false })),
    });
    return promise.finally(() => clearTimeout(timer));
  }

  return {
    readStream: (stream, from, count) =>
      collect({
        readDirection: from === 'end' ? BACKWARDS : FORWARDS,
        stream: {
          streamIdentifier: { streamName: Buffer.from(stream) },
          ...(from === 'end' ? { end: NOTHING } : { revision: from }),
        },
        count,
        noFilter: NOTHING,
      }).catch((error: ServiceError) => {
        const isDeleted = error.metadata?.get('exception')[0] === 'stream-deleted';
        throw isDeleted ? new StreamDamaged(stream, DELETED) : error;
      }),
    readForwards: (from, count, filter) =>
      collect({ readDirection: FORWARDS, all: placeOf(from), count, ...filterOf(filter) }),
    readBackwards: (before, count) =>
      collect({ readDirection: BACKWARDS, all: placeOf(before), count, noFilter: NOTHING }),
    async search(from, count, filter, enoughMs) {
      const request = { readDirection: FORWARDS, all: placeOf(from), count, ...filterOf(filter) } as const;
      const { events, isCut } = await collectFor(enoughMs, request);
      return { events, isEnd: !isCut && events.length < count };
    },
    follow({ after, filter, onEvent, onSign, onEnd }) {
      const from = { readDirection: FORWARDS, all: placeOf(after) } as const;
      const request = { ...from, subscription: NOTHING, ...filterOf(filter) };
      function end(error?: Error): void {
        if (!endings.delete(end)) return;
        reading.cancel();
        onEnd(error);
      }
      endings.add(end);
      const reading = open(request, {
        onMessage(message) {
          onSign();
          // A checkpoint arrives before the events that precede it, so it is only a sign of life.
          const event = recordIn(message);
          if (event) onEvent(event);
        },
        onEnd: end,
      });
      return () => end();
    },
    connection: () => current.client,
    ranLate,
    close: () => release(current.client),
  };
}

function placeOf(position: Position | 'end'): NonNullable<ReadRequest['all']> {
  if (position === 'end') return { end: NOTHING };
  if (position === 0) return { start: NOTHING };
  return { position: { commitPosition: position, preparePosition: position } };
}

function filterOf(filter: Filter | undefined): Pick<ReadRequest, 'filter' | 'noFilter'> {
  if (!filter) return { noFilter: NOTHING };
  const window = { max: SEARCH_WINDOW, checkpointIntervalMultiplier: 1 };
  return {
    filter:
      'streams' in filter
        ? { streamIdentifier: { prefix: filter.streams }, ...window }
        : { eventType: { prefix: filter.types }, ...window },
  };
}

function recordIn({ event: read }: ReadResponse): StoredRecord | undefined {
  const event = read?.event;
  if (!event) return undefined;
  // Servers before 22.6 return events of a stream without a position.
  const position = event.commitPosition.toNumber();
  if (!Number.isSafeInteger(position)) throw new Error('EventStoreDB gave an event without its position');
  return {
    id: event.id.string,
    stream: Buffer.from(event.streamIdentifier.streamName).toString() as Stream,
    revision: event.streamRevision.toNumber(),
    position,
    type: event.metadata['type'] ?? '',
    data: event.data,
    metadata: event.customMetadata,
    created: event.metadata['created'] ?? '',
  };
}
