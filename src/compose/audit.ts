import type { Logger } from 'pino';
import { type StoredLog, scanStoredLog } from '../audit/stored-log.ts';
import type { Config } from '../config.ts';
import type { EventStore } from '../events/event-store.ts';
import type { Closers } from '../kit/closers.ts';
import { createStoredLog } from '../adapters/postgres/event-log/stored-log.ts';
import { APP_ROLE, createPool } from '../adapters/postgres/connection.ts';

/** An export reads one page ahead, so each holds one connection. The rest is for queries about one thing. */
const CONNECTIONS = 3;

/** Opens the log as auditors read it: in PostgreSQL, on connections that nothing else waits for. */
export function openStoredLog(
  { eventStoreDbUrl }: Pick<Config, 'eventStoreDbUrl'>,
  log: Logger,
  open: Closers,
  { store, databaseUrl }: { store: EventStore; databaseUrl: string },
): StoredLog {
  if (eventStoreDbUrl !== undefined) return scanStoredLog(store);
  const pool = createPool({
    ...{ url: databaseUrl, role: APP_ROLE, max: CONNECTIONS, applicationName: 'audits', log },
  });
  open.add('audits', () => pool.end());
  return createStoredLog(pool);
}
