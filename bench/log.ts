import type pg from 'pg';
import { openTextSeal } from '../src/compose/text-seal.ts';
import type { EventStore } from '../src/events/event-store.ts';
import { createEventStoreDbEventStore } from '../src/adapters/eventstoredb/event-store.ts';
import { createPool } from '../src/adapters/postgres/connection.ts';
import { createPostgresEventStore } from '../src/adapters/postgres/event-log/event-store.ts';
import { prepareDatabase } from '../src/adapters/postgres/prepare-database.ts';
import {
  type RunningProjections,
  startProjections,
} from '../src/adapters/postgres/read-models/run-projections.ts';
import { createEventIds } from '../src/adapters/postgres/tables/event-ids.ts';
import { eventIds } from '../src/projections/event-ids.ts';
import type { Projection } from '../src/projections/projection.ts';
import { until } from '../tools/until.ts';
import { quiet } from './postgres.ts';

export interface OpenLog {
  store: EventStore;
  /** The URL of the application. */
  databaseUrl: string;
  close: () => Promise<void>;
}

/** Opens the seal of personal text as the server does: with the master key in its data folder, or in the database. */
async function sealIn(pool: pg.Pool, dataDir?: string) {
  const databaseUrl = dataDir === undefined ? 'postgres:' : undefined;
  const settings = { masterKeys: [], databaseUrl, dataDir: dataDir ?? '' };
  return (await openTextSeal(settings, quiet, pool)).textSeal;
}

interface LogOptions {
  /** False stores text as it is. */
  isSealed?: boolean;
  /** The data folder of the server whose embedded database it is. */
  dataDir?: string;
}

/** Opens the log of a database like the server, after migrating its schema. */
export async function openLog(
  ownerUrl: string,
  { isSealed = true, dataDir }: LogOptions = {},
): Promise<OpenLog> {
  const url = await prepareDatabase(ownerUrl);
  const pool = createPool({ url, max: 4, applicationName: 'bench', log: quiet });
  const textSeal = isSealed ? await sealIn(pool, dataDir) : undefined;
  const store = createPostgresEventStore({ pool, url, log: quiet, textSeal });
  await store.start();
  return {
    store,
    databaseUrl: url,
    close: async () => {
      await store.close();
      await pool.end();
    },
  };
}

const CAUGHT_UP_MS = 3_600_000;

/** Resolves once the read models of a log have caught up with it. */
export async function caughtUp(store: EventStore, { progress }: RunningProjections): Promise<void> {
  if (!(await progress.reached(await store.head(), CAUGHT_UP_MS)))
    throw new Error('the read models do not catch up');
}

/**
 * Opens the log of an EventStoreDB, whose index of ids is in the database and kept up by the projections. Resolves
 * once commands succeed.
 */
export async function openEventStoreDbLog(
  { url, ownerUrl, dataDir }: { url: string; ownerUrl: string; dataDir?: string },
  projections: readonly Projection[] = [eventIds],
): Promise<OpenLog & { projecting: RunningProjections }> {
  const databaseUrl = await prepareDatabase(ownerUrl);
  const pool = createPool({ url: databaseUrl, max: 4, applicationName: 'bench', log: quiet });
  const textSeal = await sealIn(pool, dataDir);
  const store = createEventStoreDbEventStore({ url, ids: createEventIds(pool), log: quiet, textSeal });
  await store.start();
  const projecting = await startProjections({ store, databaseUrl, projections, log: quiet });
  await until(() => store.failure() === undefined, 'the start is complete', CAUGHT_UP_MS);
  return {
    store,
    databaseUrl,
    projecting,
    close: async () => {
      await caughtUp(store, projecting);
      await projecting.stop();
      await store.close();
      await pool.end();
    },
  };
}
