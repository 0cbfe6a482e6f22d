import type { Logger } from 'pino';
import {
  type EventStore,
  NO_STREAM,
  type Position,
  type Recorded,
  type Revision,
} from '../../events/event-store.ts';
import type { Stream } from '../../events/streams.ts';
import { type TextSeal, unsealed } from '../../events/personal-text.ts';
import { backOffMs, sleep } from '../../kit/back-off.ts';
import { unavailable } from '../event-log/batch.ts';
import type { OnUnknown } from '../postgres/event-log/reader.ts';
import { createSubscriptions } from '../event-log/subscriptions.ts';
import { createAppendStream } from './append-stream.ts';
import { createEventStoreDbClient, type StoredRecord } from './client.ts';
import { createSender } from './send-group.ts';
import type { EventIds } from '../postgres/tables/event-ids.ts';
import { createAppendQueue } from './append-queue.ts';
import { type OnDamage, createEventStoreDbReader } from './reader.ts';
import { createTail } from './live-events.ts';

export interface EventStoreDbSettings {
  /** `esdb://…`, including the credentials. */
  url: string;
  /** The index of event ids, kept up with this log by the projection `event_ids`. */
  ids: EventIds;
  log: Logger;
  /** Default: personal text is stored as it is. */
  textSeal?: TextSeal | undefined;
  /** Appends are refused while the index is behind by more events than this; default 200,000. */
  mostRemembered?: number;
  /** Distance from the end of the log at which this process begins to follow it, in bytes; default 16 MiB. */
  near?: number;
  onUnknown?: OnUnknown | undefined;
  /** Called once for every damaged stream that this process comes across. */
  onDamage?: OnDamage | undefined;
}

export interface EventStoreDbEventStore extends EventStore {
  /** Rejects with `EventStoreUnavailable` when EventStoreDB, or the index, is out of reach. */
  start(): Promise<void>;
  /** Ends the subscriptions and stores the waiting appends. */
  close(): Promise<void>;
  /** Returns the reason why the log is out of reach; undefined when it is not. */
  failure(): string | undefined;
  /**
   * Resolves with the end of the log as the server has it now, behind events of the server as well: a stream that is
   * deleted does not move it back.
   */
  end(): Promise<Position>;
}

/**
 * Creates the log on EventStoreDB. A position is the commit position of the event. Events of the server
 * itself, and streams with other names than ours, are ignored.
 */
export function createEventStoreDbEventStore(settings: EventStoreDbSettings): EventStoreDbEventStore {
  const {
    url,
    ids,
    log,
    textSeal = unsealed,
    mostRemembered = 200_000,
    near,
    onUnknown,
    onDamage,
  } = settings;
  const client = createEventStoreDbClient({ url, log });
  const damaged = new Set<Stream>();
  const noteDamage: OnDamage = ({ stream, reason }) => {
    if (damaged.has(stream) || damaged.size >= MOST_DAMAGED) return;
    damaged.add(stream);
    log.error(
      { stream, reason },
      'a stream of the log is damaged; what cannot be read is left out, and commands on the stream are refused',
    );
    onDamage?.({ stream, reason });
  };
  const reader = createEventStoreDbReader({
    client,
    textSeal,
    seen: () => tail.memory,
    onUnknown,
    onDamage: noteDamage,
  });
  const tail = createTail({ client, ids, head: reader.head, log, mostRemembered, near, onEvents });
  const { subscribe, handOver } = createSubscriptions(reader, log);
  const appends = createAppendStream(client);
  const sender = createSender(appends, reader);
  const queue = createAppendQueue({ sender, reader, tail, ids, textSeal });
  const closing = new AbortController();

  /** Set while events wait for keys. Those after them wait behind them. */
  let passing: Promise<void> | undefined;

  function onEvents(records: StoredRecord[], after: Position): void {
    const seen = sender.see(records);
    if (!passing && !(seen instanceof Promise)) return pass(seen, after);
    tail.memory.readable = records.findLast(reader.isReadable)?.position ?? tail.memory.readable;
    const passed = Promise.all([patiently(records, seen), passing]).then(([events]) => {
      pass(events, after);
      if (passing === passed) passing = undefined;
    });
    passing = passed;
  }

  function pass(events: Recorded[], after: Position): void {
    if (events.length === 0) return;
    tail.memory.readable = Math.max(tail.memory.readable, events.at(-1)!.position);
    handOver(events, after);
  }

  /** Resolves once the keys of the events are within reach. */
  async function patiently(
    records: StoredRecord[],
    seen: Recorded[] | Promise<Recorded[]>,
  ): Promise<Recorded[]> {
    for (let failures = 1; ; failures += 1) {
      try {
        return await (failures === 1 ? seen : sender.see(records));
      } catch (err) {
        if (closing.signal.aborted) return [];
        log.warn({ err }, 'events of the log wait for their keys; retrying');
        await sleep(backOffMs(BACK_OFF_MS, failures), closing.signal);
      }
    }
  }

  async function revisions(streams: readonly Stream[]): Promise<Map<Stream, Revision>> {
    const found = new Map<Stream, Revision>();
    for (let from = 0; from < streams.length; from += STREAMS_PER_LOOK) {
      const some = streams.slice(from, from + STREAMS_PER_LOOK);
      for (const [stream, revision] of await queue.revisions(some))
        if (revision !== NO_STREAM && !reader.isDeleted(stream)) found.set(stream, revision);
    }
    return found;
  }

  return {
    append: queue.append,
    readStream: reader.readStream,
    readAll: reader.readAll,
    readStored: reader.readStored,
    head: reader.head,
    revisions,
    find: queue.find,
    subscribe: ({ signal, ...options }) =>
      subscribe({ ...options, signal: AbortSignal.any([signal, closing.signal]) }),
    async start() {
      await tail.start().catch((error: unknown) => {
        throw unavailable('the index of event ids is out of reach', error);
      });
      await reader.head();
    },
    async close() {
      await queue.close();
      closing.abort();
      await tail.close();
      appends.close();
      await client.close();
    },
    failure: () => reader.failure() ?? tail.failure(),
    end: reader.end,
  };
}

const BACK_OFF_MS = { first: 50, most: 2_000 };

/** Number of damaged streams that are remembered. Further ones are not reported. */
const MOST_DAMAGED = 10_000;

/** Number of streams whose revisions share a look at the log; far fewer than a process remembers. */
const STREAMS_PER_LOOK = 1_000;
