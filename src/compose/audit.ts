import type { Logger } from 'pino';
import type { StoredLog } from '../audit/stored-log.ts';
import type { Config } from '../config.ts';
import type { EventStore } from '../events/event-store.ts';
import type { Closers } from '../kit/closers.ts';
import { createStoredLog } from '../adapters/postgres/event-log/stored-log.ts';
import { createPool, useOf } from '../adapters/postgres/connection.ts';
import type { DatabaseParts } from './log.ts';

/** An export reads one page ahead, so each holds one connection. The rest is for queries about one thing. */
const CONNECTIONS = 3;

/**
 * Opens the log for auditors, on connections that nothing else waits for. The client of EventStoreDB is loaded only for a
 * log that is there.
 */
export async function openStoredLog(
  { eventStoreDbUrl }: Pick<Config, 'eventStoreDbUrl'>,
  log: Logger,
  open: Closers,
  {
    store,
    databaseUrl,
    pools,
  }: Pick<DatabaseParts, 'databaseUrl'> & Partial<Pick<DatabaseParts, 'pools'>> & { store: EventStore },
): Promise<StoredLog> {
  if (eventStoreDbUrl !== undefined) {
    const { createEventStoreDbClient } = await import('../adapters/eventstoredb/client.ts');
    const eventStoreDb = await import('../adapters/eventstoredb/stored-log.ts');
    const client = createEventStoreDbClient({ url: eventStoreDbUrl, log });
    open.add('audits', () => client.close());
    return eventStoreDb.createStoredLog({ client, store });
  }
  const pool = createPool({
    ...{ url: databaseUrl, max: CONNECTIONS, applicationName: 'audits', log },
  });
  open.add('audits', () => pool.end());
  pools?.set('audits', () => useOf(pool));
  return createStoredLog(pool);
}
