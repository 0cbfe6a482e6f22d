import { pino } from 'pino';
import { createEventStoreDbEventStore } from '../../../src/adapters/eventstoredb/event-store.ts';
import { APP_ROLE, createPool } from '../../../src/adapters/postgres/connection.ts';
import { createPostgresEventStore } from '../../../src/adapters/postgres/event-log/event-store.ts';
import { noEventIds } from '../../../src/adapters/postgres/tables/event-ids.ts';
import type { EventStore } from '../../../src/events/event-store.ts';
import { sealIn } from './seal.ts';

const log = pino({ level: 'silent' });

/** Opens the log of a database, which must exist, for the duration of `work`. */
export async function withPostgresLog<T>(url: string, work: (store: EventStore) => Promise<T>): Promise<T> {
  const pool = createPool({ url, role: APP_ROLE, max: 1, applicationName: 'test', log });
  const { textSeal } = await sealIn(pool);
  const store = createPostgresEventStore({ pool, url, log, textSeal });
  try {
    await store.start();
    return await work(store);
  } finally {
    await store.close();
    await pool.end();
  }
}

/** Opens the log of an EventStoreDB with an empty index of ids, and the keys of a database, for the duration of `work`. */
export async function withEventStoreDbLog<T>(
  url: string,
  keysUrl: string,
  work: (store: EventStore) => Promise<T>,
): Promise<T> {
  const pool = createPool({ url: keysUrl, role: APP_ROLE, max: 1, applicationName: 'test', log });
  const { textSeal } = await sealIn(pool);
  const store = createEventStoreDbEventStore({ url, ids: noEventIds, log, textSeal });
  try {
    await store.start();
    return await work(store);
  } finally {
    await store.close();
    await pool.end();
  }
}
