import { BACKWARDS, END, EventStoreDBClient } from '@eventstore/db-client';
import { type Logger, pino } from 'pino';
import { createEventIds } from '../../../src/adapters/postgres/tables/event-ids.ts';
import {
  createEventStoreDbEventStore,
  type EventStoreDbEventStore,
} from '../../../src/adapters/eventstoredb/event-store.ts';
import type { OnDamage } from '../../../src/adapters/eventstoredb/reader.ts';
import { createPool } from '../../../src/adapters/postgres/connection.ts';
import {
  makeReadModels,
  startProjections,
} from '../../../src/adapters/postgres/read-models/run-projections.ts';
import type { KeyRing } from '../../../src/privacy/key-ring.ts';
import { eventIds } from '../../../src/projections/event-ids.ts';
import { createTestDatabase } from '../stages/database.ts';
import { sealIn } from '../stages/seal.ts';

const silent = pino({ level: 'silent' });

export interface EventStoreDbStage {
  /** Opens a store like another process, over the same index. */
  open(options?: { mostRemembered?: number; near?: number }): Promise<EventStoreDbEventStore>;
  /** The same, with the keys of personal text of that process. */
  openSealed(): Promise<{ store: EventStoreDbEventStore; keyRing: KeyRing }>;
  /** Returns the position up to which the index of ids is complete. */
  indexed(): Promise<number>;
  /** Stops the projection that maintains the index. */
  stopIndexing(): Promise<void>;
  startIndexing(): Promise<void>;
  close(): Promise<void>;
}

/** Resolves with the position of the last event of an EventStoreDB. */
export async function endOf(url: string): Promise<string> {
  const client = EventStoreDBClient.connectionString(url);
  let end = 0n;
  for await (const { event } of client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 }))
    end = event?.position.commit ?? 0n;
  await client.dispose();
  return String(end);
}

/**
 * Stores on one EventStoreDB, with the index of event ids that the real projection maintains in a database of
 * its own.
 */
export async function stageEventStoreDb(
  url: string,
  log: Logger = silent,
  onDamage?: OnDamage,
): Promise<EventStoreDbStage> {
  const database = await createTestDatabase();
  const { url: databaseUrl } = database;
  const pool = createPool({ url: databaseUrl, max: 4, applicationName: 'test', log });
  const ids = createEventIds(pool);
  const stores: EventStoreDbEventStore[] = [];

  /** Leaves the history of a server that others have used out of the index: no test relies on it. */
  async function startIndexAtTheEnd(): Promise<void> {
    const end = await endOf(url);
    const store = createEventStoreDbEventStore({ url, ids, log });
    await makeReadModels({ store, databaseUrl, log, projections: [eventIds] });
    await store.close();
    await pool.query(`update checkpoints set position = $1 where name = 'event_ids'`, [end]);
  }

  async function open(
    options: { mostRemembered?: number; near?: number } = {},
  ): Promise<EventStoreDbEventStore> {
    return (await openSealed(options)).store;
  }

  async function openSealed(options: { mostRemembered?: number; near?: number } = {}) {
    const { textSeal, keyRing } = await sealIn(pool);
    const store = createEventStoreDbEventStore({ url, ids, log, textSeal, onDamage, ...options });
    await store.start();
    stores.push(store);
    return { store, keyRing };
  }

  await startIndexAtTheEnd();
  const store = await open();
  const index = () => startProjections({ store, databaseUrl, projections: [eventIds], log });
  let projections = await index();
  return {
    open,
    openSealed,
    indexed: () => ids.position(),
    stopIndexing: () => projections.stop(),
    async startIndexing() {
      projections = await index();
    },
    async close() {
      await projections.stop();
      await Promise.all(stores.map((store) => store.close()));
      await pool.end();
      await database.drop();
    },
  };
}
