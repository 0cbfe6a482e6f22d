import { resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Closers } from '../platform/closers.ts';
import type { Metrics } from '../platform/metrics.ts';
import { migrate } from '../platform/migrate.ts';
import { openDatabase } from '../platform/open-database.ts';
import { createPostgresEventStore } from '../platform/postgres-event-store.ts';
import { APP_ROLE, createPool } from '../platform/postgres.ts';

const READ_CONNECTIONS = 10;

/** The database, brought up to date, and the log in it. */
export async function openLog(config: Config, log: Logger, metrics: Metrics, open: Closers) {
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
  const store = createPostgresEventStore({
    pool,
    url: ownerUrl,
    log,
    onBatch: metrics.batchCommitted,
  });
  await store.start();
  open.add('event store', () => store.close());
  return { ownerUrl, pool, store };
}

export type LogParts = Awaited<ReturnType<typeof openLog>>;
