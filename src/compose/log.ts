import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { EventStore, Position } from '../events/event-store.ts';
import type { Checks } from '../http/readiness.ts';
import type { Closers } from '../kit/closers.ts';
import type { KeyRing } from '../privacy/key-ring.ts';
import type { OnDamage } from '../adapters/eventstoredb/reader.ts';
import { createEventIds } from '../adapters/postgres/tables/event-ids.ts';
import { type LogIdentity, identify, requireSameLog } from '../adapters/postgres/event-log/identity.ts';
import type { Metrics } from '../adapters/prometheus/metrics.ts';
import { openDatabase } from '../adapters/embedded-postgres/open-database.ts';
import {
  type PostgresEventStoreSettings,
  createPostgresEventStore,
} from '../adapters/postgres/event-log/event-store.ts';
import { type Leases, createPostgresLeases, leadsAlone } from '../adapters/postgres/leases.ts';
import {
  type PoolUse,
  REQUESTS,
  type SessionSettings,
  createPool,
  isUnproved,
  useOf,
} from '../adapters/postgres/connection.ts';
import { prepareDatabase } from '../adapters/postgres/prepare-database.ts';
import { createQueryPool } from '../adapters/postgres/query-pool.ts';
import { bindQueries } from '../queries/queries.ts';
import { watchForDamage } from './damaged-streams.ts';
import type { MasterKeySettings } from './master-keys.ts';
import { watchForNewerCode } from './newer-code.ts';
import { openTextSeal } from './text-seal.ts';

/**
 * Maximum numbers of connections of a process. Each kind of work has its own, so that none waits for another.
 * They are opened on demand, and closed when they have been idle for a while.
 */
const CONNECTIONS = {
  ...{ commands: 6, logins: 3, background: 3, queries: 6 },
  // A search may use up a processor, and PostgreSQL may be on this machine.
  searches: availableParallelism() > 2 ? 2 : 1,
};
/**
 * Minimum time between the starts of two batches of appends. If many processes share one log, every commit
 * wakes most of them, which costs more than the append itself. A pause of 12 ms is invisible, and a lone
 * append is not delayed.
 */
const PACE_MS = 12;

/** Opens the database, migrated to the current schema, and the leases in it. */
export async function openPostgres(config: Config, log: Logger, open: Closers) {
  const dataDir = resolve(config.dataDir);
  const database = await openDatabase({ databaseUrl: config.databaseUrl, dataDir, log, exclusive: true });
  open.add('database', () => database.close());
  if (isUnproved(database.ownerUrl))
    log.warn(
      'the connection to PostgreSQL is encrypted without proof of who the server is: set sslmode=verify-full in DATABASE_URL',
    );
  const databaseUrl = await prepareDatabase(database.ownerUrl, config.databaseOwnerUrl, (migration) =>
    log.info({ migration }, 'migrated the database'),
  );
  /** The use of each pool of this process. */
  const pools = new Map<string, () => PoolUse>();
  const openPool = (name: 'commands' | 'logins' | 'background', session: SessionSettings = {}) => {
    const opened = { url: databaseUrl, max: CONNECTIONS[name], applicationName: name, log };
    const pool = createPool({ ...opened, ...session });
    open.add(name, () => pool.end());
    pools.set(name, () => useOf(pool));
    return pool;
  };
  const isAlone = config.databaseUrl === undefined;
  const nodeId = randomUUID();
  const { promise: begin, resolve: mayLead } = Promise.withResolvers<void>();
  const leases: Leases = isAlone
    ? leadsAlone(log, nodeId)
    : createPostgresLeases({ url: databaseUrl, nodeId, log, begin });
  open.add('leases', () => leases.close());
  const pool = openPool('commands', REQUESTS);
  const { rows } = await pool.query<{ version: string }>(
    `select current_setting('server_version') as version`,
  );
  log.info({ postgresql: rows[0]!.version }, 'opened the database');
  return {
    databaseUrl,
    /** Of this process, among those on the database. */
    nodeId,
    leases,
    /** Lets this process take leases: once nothing can keep it from starting any more. */
    mayLead,
    isAlone,
    pools,
    /** For commands, and for rows that are written outside the log. */
    pool,
    /** For passwords and sessions. */
    logins: openPool('logins', REQUESTS),
    /** For background work: followers of the log, checkpoints, upkeep. */
    background: openPool('background'),
  };
}

/** Opens the pools for queries of the read models. */
export async function openQueries(
  log: Logger,
  open: Closers,
  { databaseUrl, pools }: Pick<DatabaseParts, 'databaseUrl'> & Partial<Pick<DatabaseParts, 'pools'>>,
) {
  const openQueryPool = async (applicationName: 'queries' | 'searches') => {
    const db = await createQueryPool({
      url: databaseUrl,
      applicationName,
      log,
      max: CONNECTIONS[applicationName],
    });
    open.add(applicationName, () => db.end());
    pools?.set(applicationName, db.use);
    return db;
  };
  return bindQueries(await openQueryPool('queries'), await openQueryPool('searches'));
}

export type DatabaseParts = Awaited<ReturnType<typeof openPostgres>>;

interface LogOptions extends Pick<
  PostgresEventStoreSettings,
  'paceMs' | 'onBatch' | 'onUnknown' | 'background'
> {
  databaseUrl: string;
  pool: pg.Pool;
  onDamage?: OnDamage;
}

/**
 * Creates the configured log, without starting it: in the database, or in EventStoreDB, whose client is
 * loaded only then.
 */
export async function createLog(
  config: Pick<Config, 'eventStoreDbUrl'> & MasterKeySettings,
  log: Logger,
  { databaseUrl, pool, ...options }: LogOptions,
) {
  const url = config.eventStoreDbUrl;
  const textKeys = await openTextSeal(config, log, pool);
  const { textSeal } = textKeys;
  if (url === undefined) {
    const store = createPostgresEventStore({ pool, url: databaseUrl, log, textSeal, ...options });
    return { kind: 'postgresql' as const, store, textKeys };
  }
  const { createEventStoreDbEventStore } = await import('../adapters/eventstoredb/event-store.ts');
  const { onUnknown, onDamage } = options;
  const ids = createEventIds(pool);
  const store = createEventStoreDbEventStore({ url, ids, log, textSeal, onUnknown, onDamage });
  return { kind: 'eventstoredb' as const, store, textKeys };
}

/** Opens the log. Throws `OtherLog` when the database has followed another one. */
export async function openLog(
  config: Config,
  log: Logger,
  metrics: Metrics,
  open: Closers,
  { databaseUrl, pool, background }: DatabaseParts,
): Promise<{
  kind: LogIdentity['kind'];
  store: EventStore;
  /** Resolves with the end of the log as its server has it now. */
  end: () => Promise<Position>;
  keyRing: KeyRing;
  checks: Checks;
  useful: Checks;
}> {
  const newerCode = watchForNewerCode(log);
  const damage = watchForDamage(metrics.streamsDamaged);
  const { kind, store, textKeys } = await createLog(config, log, {
    databaseUrl,
    pool,
    background,
    paceMs: config.redisUrl === undefined ? 0 : PACE_MS,
    onBatch: metrics.batchCommitted,
    onUnknown: newerCode.onUnknown,
    onDamage: damage.onDamage,
  });
  await store.start();
  open.add('event store', () => store.close());
  await requireSameLog(pool, await identify(kind, store));
  const checks = { [kind === 'eventstoredb' ? kind : 'log']: () => store.failure() };
  const end = () => store.end();
  return {
    kind,
    store,
    end,
    keyRing: textKeys.keyRing,
    checks,
    useful: { ...newerCode.checks, ...damage.checks },
  };
}
