import { EventStoreDBClient } from '@eventstore/db-client';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ServiceError } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { type Position, type Revision, StreamDamaged } from '../../events/event-store.ts';
import type { Stream } from '../../events/streams.ts';
import { within } from '../../kit/deadline.ts';
import { type ReadCall, closeChannel, containDiscovery, openRead } from './private-parts.ts';

/** Longest silence of the server during a read. */
const READ_MS = 3_000;
/** Age from which a connection is replaced when something runs into its deadline. */
const RENEW_MS = 3_000;
/** Longest time that the calls of a connection may take to end. */
const DISPOSE_MS = 2_000;
/** A dead peer is detected after this and the library's 10 s between pings. */
const PONG_MS = 3_000;
/** Number of events that a server with a filter looks at in one go, and after which a subscription shows a sign of life. */
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
 * Creates the client. It reads with the library's calls and messages, but not with its readers: those cost four
 * times as much for each event, and cannot read with a filter. A connection whose peer has vanished silently would
 * last until its keepalive ends it, so it is replaced as soon as something runs into its deadline.
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
    request: streams.ReadReq,
    { onMessage, onEnd }: { onMessage: (message: streams.ReadResp) => void; onEnd: (error?: Error) => void },
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
    const receive = (message: streams.ReadResp) => {
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

  function collect(request: streams.ReadReq): Promise<StoredRecord[]> {
    const { promise, resolve, reject } = Promise.withResolvers<StoredRecord[]>();
    const events: StoredRecord[] = [];
    const timer = setTimeout(() => {
      reject(new ServerSilent(`EventStoreDB was silent for ${READ_MS} ms during a read`));
      reading.cancel();
      // With a filter it may be looking through many events of others.
      if (!request.getOptions()?.hasFilter()) ranLate();
    }, READ_MS);
    const reading = open(request, {
      onMessage(message) {
        timer.refresh();
        const event = recordIn(message);
        if (event) events.push(event);
      },
      onEnd: (error) => (error ? reject(error) : resolve(events)),
    });
    return promise.finally(() => clearTimeout(timer));
  }

  return {
    readStream: (stream, from, limit) =>
      collect(
        readRequest({ limit, isBackwards: from === 'end' }, (options) =>
          options.setStream(streamOptions(stream, from)).setNoFilter(new shared.Empty()),
        ),
      ).catch((error: ServiceError) => {
        const isDeleted = error.metadata?.get('exception')[0] === 'stream-deleted';
        throw isDeleted ? new StreamDamaged(stream, DELETED) : error;
      }),
    readForwards: (from, limit, filter) =>
      collect(readRequest({ limit }, (options) => setFilter(options.setAll(allOptions(from)), filter))),
    readBackwards: (before, limit) =>
      collect(
        readRequest({ limit, isBackwards: true }, (options) => setFilter(options.setAll(allOptions(before)))),
      ),
    follow({ after, filter, onEvent, onSign, onEnd }) {
      const request = readRequest({}, (options) => setFilter(options.setAll(allOptions(after)), filter));
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

/** Returns the request of a page, or of a subscription if there is no limit. */
function readRequest(
  { limit, isBackwards = false }: { limit?: number; isBackwards?: boolean },
  fill: (options: streams.ReadReq.Options) => streams.ReadReq.Options,
): streams.ReadReq {
  const { Options } = streams.ReadReq;
  const { FORWARDS, BACKWARDS } = Options.ReadDirection;
  const options = new Options()
    .setReadDirection(isBackwards ? BACKWARDS : FORWARDS)
    .setUuidOption(new Options.UUIDOption().setString(new shared.Empty()));
  if (limit === undefined) options.setSubscription(new Options.SubscriptionOptions());
  else options.setCount(String(limit));
  return new streams.ReadReq().setOptions(fill(options));
}

function streamOptions(stream: Stream, from: Revision | 'end'): streams.ReadReq.Options.StreamOptions {
  const options = new streams.ReadReq.Options.StreamOptions().setStreamIdentifier(
    new shared.StreamIdentifier().setStreamName(Buffer.from(stream)),
  );
  return from === 'end' ? options.setEnd(new shared.Empty()) : options.setRevision(String(from));
}

function allOptions(from: Position | 'end'): streams.ReadReq.Options.AllOptions {
  const options = new streams.ReadReq.Options.AllOptions();
  if (from === 'end') return options.setEnd(new shared.Empty());
  if (from === 0) return options.setStart(new shared.Empty());
  return options.setPosition(
    new streams.ReadReq.Options.Position().setCommitPosition(String(from)).setPreparePosition(String(from)),
  );
}

function setFilter(options: streams.ReadReq.Options, filter?: Filter): streams.ReadReq.Options {
  if (!filter) return options.setNoFilter(new shared.Empty());
  const { FilterOptions } = streams.ReadReq.Options;
  const set = new FilterOptions().setMax(SEARCH_WINDOW).setCheckpointintervalmultiplier(1);
  const prefixes = new FilterOptions.Expression();
  if ('streams' in filter) set.setStreamIdentifier(prefixes.setPrefixList([...filter.streams]));
  else set.setEventType(prefixes.setPrefixList([...filter.types]));
  return options.setFilter(set);
}

function recordIn(message: streams.ReadResp): StoredRecord | undefined {
  const event = message.getEvent()?.getEvent();
  if (!event) return undefined;
  // Servers before 22.6 return events of a stream without a position.
  const position = Number(event.getCommitPosition());
  if (!Number.isSafeInteger(position)) throw new Error('EventStoreDB gave an event without its position');
  return {
    id: event.getId()!.getString(),
    stream: Buffer.from(event.getStreamIdentifier()!.getStreamName_asU8()).toString() as Stream,
    revision: Number(event.getStreamRevision()),
    position,
    type: event.getMetadataMap().get('type') ?? '',
    data: event.getData_asU8(),
    metadata: event.getCustomMetadata_asU8(),
  };
}
