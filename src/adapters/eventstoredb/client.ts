import {
  type AllStreamRecordedEvent,
  BACKWARDS,
  END,
  EventStoreDBClient,
  FORWARDS,
  type RecordedEvent,
  START,
  StreamDeletedError,
  StreamNotFoundError,
  type StreamingRead,
  streamNameFilter,
} from '@eventstore/db-client';
import type { Logger } from 'pino';
import { type Position, type Revision, StreamDamaged } from '../../events/event-store.ts';
import type { Stream } from '../../events/streams.ts';
import { within } from '../../kit/deadline.ts';
import { closeChannel, containDiscovery } from './private-parts.ts';

/** Longest silence of the server during a read. */
const READ_MS = 3_000;
/** Age from which a connection is replaced when something runs into its deadline. */
const RENEW_MS = 3_000;
/** Longest time that the calls of a connection may take to end. */
const DISPOSE_MS = 2_000;
/** A dead peer is detected after this and the library's 10 s between pings. */
const PONG_MS = 3_000;
/** In units of 32 events: how often the server reports its progress, which is a sign of life. */
const CHECKPOINT_INTERVAL = 32;

/** An event as EventStoreDB returns it, before any validation. */
export interface StoredRecord {
  id: string;
  stream: Stream;
  revision: Revision;
  position: Position;
  type: string;
  data: unknown;
  metadata: unknown;
}

export interface Following {
  /** The position after which to begin. */
  after: Position;
  prefixes: readonly string[];
  onEvent: (event: StoredRecord) => void;
  /** Called for everything that arrives, events included. */
  onSign: () => void;
  /**
   * Called when nothing more follows: with the error, or without one where the server, or this side, just
   * ended it.
   */
  onEnd: (error?: Error) => void;
}

/** The adapter's client of EventStoreDB. Every call has a deadline and rejects with the library's error. */
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
  readForwards(from: Position, limit: number): Promise<StoredRecord[]>;
  readBackwards(before: Position | 'end', limit: number): Promise<StoredRecord[]>;
  /** Follows the streams with these prefixes. Returns a function that ends it. */
  follow(following: Following): () => void;
  /** Returns the library's client that is in use. It changes when a connection is given up. */
  connection(): EventStoreDBClient;
  /** Reports that something ran into its deadline. */
  ranLate(): void;
  close(): Promise<void>;
}

/** The reason of `StreamDamaged` for a stream with a tombstone. */
export const DELETED = 'was deleted';

/** Reads need the leader: a follower may lack recent appends. */
const LEADER = { requiresLeader: true };

/**
 * Creates the client. Besides this file, only append-stream.ts and private-parts.ts use the library. A
 * connection whose peer has vanished silently would last until its keepalive ends it, so it is replaced as
 * soon as something runs into its deadline.
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

  function collect(open: () => StreamingRead<{ event?: RecordedEvent }>): Promise<StoredRecord[]> {
    const { promise, resolve, reject } = Promise.withResolvers<StoredRecord[]>();
    const events: StoredRecord[] = [];
    const reading = open();
    const timer = setTimeout(() => {
      reject(new Error(`EventStoreDB was silent for ${READ_MS} ms during a read`));
      reading.cancel().catch(() => undefined);
      ranLate();
    }, READ_MS);
    reading
      .on('data', ({ event }) => {
        timer.refresh();
        try {
          if (event) events.push(toRecord(event));
        } catch (error) {
          reject(error as Error);
        }
      })
      .on('end', () => resolve(events))
      .on('error', (error) => {
        if (error instanceof StreamNotFoundError) resolve([]);
        else if (error instanceof StreamDeletedError)
          reject(new StreamDamaged(error.streamName as Stream, DELETED));
        else reject(error);
      });
    return promise.finally(() => clearTimeout(timer));
  }

  return {
    readStream: (stream, from, maxCount) =>
      collect(() =>
        current.client.readStream(stream, {
          ...LEADER,
          maxCount,
          ...(from === 'end'
            ? { direction: BACKWARDS, fromRevision: END }
            : { direction: FORWARDS, fromRevision: BigInt(from) }),
        }),
      ),
    readForwards: (from, maxCount) =>
      collect(() =>
        current.client.readAll({ ...LEADER, maxCount, direction: FORWARDS, fromPosition: at(from) }),
      ),
    readBackwards: (before, maxCount) =>
      collect(() =>
        current.client.readAll({
          ...LEADER,
          maxCount,
          direction: BACKWARDS,
          fromPosition: before === 'end' ? END : at(before),
        }),
      ),
    follow({ after, prefixes, onEvent, onSign, onEnd }) {
      const subscription = current.client.subscribeToAll({
        ...LEADER,
        fromPosition: at(after),
        filter: streamNameFilter({
          prefixes: [...prefixes],
          checkpointInterval: CHECKPOINT_INTERVAL,
          // It arrives before the events that precede it, so it is only a sign of life.
          checkpointReached: onSign,
        }),
      });
      let hasEnded = false;
      function end(error?: Error): void {
        if (hasEnded) return;
        hasEnded = true;
        endings.delete(end);
        subscription.unsubscribe().catch(() => undefined);
        onEnd(error);
      }
      endings.add(end);
      subscription
        .on('data', ({ event }) => {
          if (hasEnded) return;
          try {
            onSign();
            if (event) onEvent(toRecord(event));
          } catch (error) {
            end(error as Error);
          }
        })
        .on('confirmation', onSign)
        .on('caughtUp', onSign)
        .on('fellBehind', onSign)
        .on('error', end)
        .on('end', () => end());
      return () => end();
    },
    connection: () => current.client,
    ranLate,
    close: () => release(current.client),
  };
}

const at = (position: Position) =>
  position === 0 ? START : { commit: BigInt(position), prepare: BigInt(position) };

function toRecord(event: RecordedEvent | AllStreamRecordedEvent): StoredRecord {
  const { id, streamId, revision, type, data, metadata } = event;
  const position = Number(event.position?.commit);
  // Servers before 22.6 return events of a stream without a position.
  if (!Number.isSafeInteger(position)) throw new Error('EventStoreDB gave an event without its position');
  return { id, stream: streamId as Stream, revision: Number(revision), position, type, data, metadata };
}
