import type pg from 'pg';
import type { Logger } from 'pino';
import type { EventStore } from '../../../events/event-store.ts';
import { type BatchFigures, createLane } from './group-commit.ts';
import { listen } from '../listen.ts';
import { type OnUnknown, createLogReader } from './reader.ts';
import { createSubscriptions } from '../../event-log/subscriptions.ts';
import { APP_ROLE } from '../connection.ts';

/**
 * To wake for every notification costs a process more than all that its patient readers do: those who let a batch wait
 * for so long are content with the poll of the head.
 */
const PATIENT_MS = 100;

export interface PostgresEventStoreSettings {
  /** For reading. */
  pool: pg.Pool;
  /** For the reads of subscriptions, for which nobody waits. Default: `pool`. */
  background?: pg.Pool;
  /** For the two connections of the store's own: appends, and notifications. */
  url: string;
  log: Logger;
  /** See `LaneSettings`. */
  paceMs?: number | undefined;
  /** Hears of every batch once it is stored. */
  onBatch?: ((figures: BatchFigures) => void) | undefined;
  onUnknown?: OnUnknown | undefined;
}

export interface PostgresEventStore extends EventStore {
  /** Rejects with `EventStoreUnavailable` when PostgreSQL is out of reach. */
  start(): Promise<void>;
  /** Ends the subscriptions and stores the appends that wait; the pool stays open. */
  close(): Promise<void>;
  /** Why an append could not succeed now, as far as is known. */
  failure(): string | undefined;
}

/** The log on PostgreSQL, as 0001-event-log.sql lays it out. */
export function createPostgresEventStore(settings: PostgresEventStoreSettings): PostgresEventStore {
  const { pool, background = pool, url, log, paceMs, onBatch, onUnknown } = settings;
  const { findAll, ...reader } = createLogReader(pool, onUnknown);
  const { subscribe, handOver, hear } = createSubscriptions(createLogReader(background, onUnknown), log);
  const lane = createLane({
    ...{ url, role: APP_ROLE, log, findAll, paceMs, onBatch },
    // Positions are without holes.
    onStored: (events) => handOver(events, events[0]!.position - 1),
  });
  const closing = new AbortController();
  let listening: Promise<void> | undefined;

  const listenToLog = () =>
    listen({
      url,
      role: APP_ROLE,
      channel: 'event_log',
      applicationName: 'event log notifications',
      log,
      // Anything may have been missed.
      onConnected: () => hear(Infinity),
      // What this process appended itself was handed over already: to hear of it would only cause a read.
      onNotification: (position, backend) => {
        if (!lane.isServedBy(backend)) hear(Number(position));
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
    async close() {
      await lane.close();
      closing.abort();
      await listening;
    },
  };
}
