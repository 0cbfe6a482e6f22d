import { resolve } from 'node:path';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { EventStore } from '../events/event-store.ts';
import type { Checks } from '../http/readiness.ts';
import type { Closers } from '../platform/closers.ts';
import { createEventIds } from '../platform/eventstoredb-ids.ts';
import { identify, requireSameLog } from '../platform/log-identity.ts';
import type { Metrics } from '../platform/metrics.ts';
import { migrate } from '../platform/migrate.ts';
import { openDatabase } from '../platform/open-database.ts';
import {
  type PostgresEventStoreSettings,
  createPostgresEventStore,
} from '../platform/postgres-event-store.ts';
import { type Leases, createPostgresLeases, leadsAlone } from '../platform/postgres-leases.ts';
import { APP_ROLE, createPool } from '../platform/postgres.ts';

const READ_CONNECTIONS = 10;
/**
 * Where many processes share one log: each commit wakes most of them, which costs more than what is in it. Nobody sees the
 * delay, and a lone append has none.
 */
const PACE_MS = 20;

/** The database, brought up to date, and who leads in it. */
export async function openPostgres(config: Config, log: Logger, open: Closers) {
  const dataDir = resolve(config.dataDir);
  const database = await openDatabase({ databaseUrl: config.databaseUrl, dataDir, log, exclusive: true });
  open.add('database', () => database.close());
  const { ownerUrl } = database;
  await migrate(ownerUrl);
  const pool = createPool({
    url: ownerUrl,
    role: APP_ROLE,
    max: READ_CONNECTIONS,
    applicationName: 'chat',
    log,
  });
  open.add('pool', () => pool.end());
  const isAlone = config.databaseUrl === undefined;
  const leases: Leases = isAlone ? leadsAlone(log) : createPostgresLeases({ url: ownerUrl, log });
  open.add('leases', () => leases.close());
  return { ownerUrl, pool, leases, isAlone };
}

export type DatabaseParts = Awaited<ReturnType<typeof openPostgres>>;

interface LogOptions extends Pick<PostgresEventStoreSettings, 'paceMs' | 'onBatch'> {
  ownerUrl: string;
  pool: pg.Pool;
}

/** The log as the settings have it, not yet started: in the database, or in EventStoreDB, whose client is loaded only then. */
export async function createLog(
  { eventStoreDbUrl: url }: Pick<Config, 'eventStoreDbUrl'>,
  log: Logger,
  { ownerUrl, pool, ...options }: LogOptions,
) {
  if (url === undefined) {
    const store = createPostgresEventStore({ pool, url: ownerUrl, log, ...options });
    return { kind: 'postgresql' as const, store };
  }
  const { createEventStoreDbEventStore } = await import('../platform/eventstoredb-event-store.ts');
  const store = createEventStoreDbEventStore({ url, ids: createEventIds(pool), log });
  return { kind: 'eventstoredb' as const, store };
}

/** Opens the log. Throws `OtherLog` when the database has followed another one. */
export async function openLog(
  config: Config,
  log: Logger,
  metrics: Metrics,
  open: Closers,
  { ownerUrl, pool }: DatabaseParts,
): Promise<{ store: EventStore; checks: Checks }> {
  const { kind, store } = await createLog(config, log, {
    ownerUrl,
    pool,
    paceMs: config.redisUrl === undefined ? 0 : PACE_MS,
    onBatch: metrics.batchCommitted,
  });
  await store.start();
  open.add('event store', () => store.close());
  await requireSameLog(pool, await identify(kind, store));
  return { store, checks: kind === 'eventstoredb' ? { eventstoredb: () => store.failure() } : {} };
}
