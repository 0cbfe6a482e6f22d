import { pino } from 'pino';
import { createEventStoreDbEventStore } from '../../../src/adapters/eventstoredb/event-store.ts';
import { createPool } from '../../../src/adapters/postgres/connection.ts';
import { createPostgresEventStore } from '../../../src/adapters/postgres/event-log/event-store.ts';
import { noEventIds } from '../../../src/adapters/postgres/tables/event-ids.ts';
import type { EventStore } from '../../../src/events/event-store.ts';
import { unsealed } from '../../../src/events/personal-text.ts';
import { sealIn } from './seal.ts';

const log = pino({ level: 'silent' });

/**
 * Opens the log of a database, which must exist, for the duration of `work`. With `isSealed: false` personal text stays as
 * it is, as in logs of earlier versions.
 */
export async function withPostgresLog<T>(
  url: string,
  work: (store: EventStore) => Promise<T>,
  { isSealed = true } = {},
): Promise<T> {
  const pool = createPool({ url, max: 1, applicationName: 'test', log });
  const textSeal = isSealed ? (await sealIn(pool)).textSeal : unsealed;
  const store = createPostgresEventStore({ pool, url, log, textSeal });
  try {
    await store.start();
    return await work(store);
  } finally {
    await store.close();
    await pool.end();
  }
}

/**
 * Opens the log of an EventStoreDB with an empty index of ids, and the keys of a database, for the duration of `work`.
 * Without that database personal text stays as it is, as in logs of earlier versions.
 */
export async function withEventStoreDbLog<T>(
  url: string,
  keysUrl: string | undefined,
  work: (store: EventStore) => Promise<T>,
): Promise<T> {
  const pool = keysUrl !== undefined && createPool({ url: keysUrl, max: 1, applicationName: 'test', log });
  const textSeal = pool ? (await sealIn(pool)).textSeal : unsealed;
  const store = createEventStoreDbEventStore({ url, ids: noEventIds, log, textSeal });
  try {
    await store.start();
    return await work(store);
  } finally {
    await store.close();
    if (pool) await pool.end();
  }
}
