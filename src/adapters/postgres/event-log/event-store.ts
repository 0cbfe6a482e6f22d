import type pg from 'pg';
import type { Logger } from 'pino';
import type { EventStore, Position } from '../../../events/event-store.ts';
import { type TextSeal, unsealed } from '../../../events/personal-text.ts';
import { type BatchFigures, createLane } from './group-commit.ts';
import { listen } from '../listen.ts';
import { type OnUnknown, createLogReader } from './reader.ts';
import { createSubscriptions } from '../../event-log/subscriptions.ts';

/**
 * Linger from which subscribers do without notifications. Waking for every notification costs a process more
 * than the work of its patient readers, and polling the head is fast enough for them.
 */
const PATIENT_MS = 100;

export interface PostgresEventStoreSettings {
  /** The pool for reading. */
  pool: pg.Pool;
  /** The pool for the reads of subscriptions, which no request waits for. Default: `pool`. */
  background?: pg.Pool;
  /** The URL for the store's own two connections: appends, and notifications. */
  url: string;
  log: Logger;
  /** Default: personal text is stored as it is. */
  textSeal?: TextSeal | undefined;
  /** See `LaneSettings`. */
  paceMs?: number | undefined;
  /** Called with every batch once it is stored. */
  onBatch?: ((figures: BatchFigures) => void) | undefined;
  onUnknown?: OnUnknown | undefined;
}

export interface PostgresEventStore extends EventStore {
  /** Rejects with `EventStoreUnavailable` when PostgreSQL is out of reach. */
  start(): Promise<void>;
  /** Ends the subscriptions and stores the waiting appends. The pool stays open. */
  close(): Promise<void>;
  /** Returns the reason why an append could not succeed now, as far as is known; undefined if there is none. */
  failure(): string | undefined;
  /** Resolves with the end of the log as the database has it now. */
  end(): Promise<Position>;
}

/** Creates the log on PostgreSQL, with the tables of 0001-event-log.sql. */
export function createPostgresEventStore(settings: PostgresEventStoreSettings): PostgresEventStore {
  const { pool, background = pool, url, log, textSeal = unsealed, paceMs, onBatch, onUnknown } = settings;
  const { findAll, ...reader } = createLogReader(pool, textSeal, onUnknown);
  const { subscribe, handOver, announce } = createSubscriptions(
    createLogReader(background, textSeal, onUnknown),
    log,
  );
  const lane = createLane({
    ...{ url, log, textSeal, findAll, paceMs, onBatch },
    // Positions have no gaps.
    onStored: (events) => handOver(events, events[0]!.position - 1),
  });
  const closing = new AbortController();
  let listening: Promise<void> | undefined;

  const listenToLog = () =>
    listen({
      url,

      channel: 'event_log',
      applicationName: 'event log notifications',
      log,
      // Anything may have been missed.
      onConnected: () => announce(Infinity),
      // This process's own appends were handed over already. Notifications of them would only cause reads.
      onNotification: (position, backend) => {
        if (!lane.isServedBy(backend)) announce(Number(position));
      },
      signal: closing.signal,
    });

  return {
    ...reader,
    append: lane.append,
    subscribe({ signal, ...options }) {
      if ((options.lingerMs ?? 0) < PATIENT_MS) listening ??= listenToLog();
      return subscribe({ ...options, signal: AbortSignal.any([signal, closing.signal]) });
    },
    start: lane.start,
    failure: lane.failure,
    end: reader.head,
    async close() {
      await lane.close();
      closing.abort();
      await listening;
    },
  };
}
