import type { EventStore } from '../src/events/event-store.ts';
import { APP_ROLE, createPool } from '../src/adapters/postgres/connection.ts';
import { createPostgresEventStore } from '../src/adapters/postgres/event-log/event-store.ts';
import { prepareDatabase } from '../src/adapters/postgres/prepare-database.ts';
import { quiet } from './postgres.ts';

export interface OpenLog {
  store: EventStore;
  close: () => Promise<void>;
}

/** Opens the log of a database like the server, after migrating its schema. */
export async function openLog(ownerUrl: string): Promise<OpenLog> {
  const url = await prepareDatabase(ownerUrl);
  const pool = createPool({ url, role: APP_ROLE, max: 4, applicationName: 'bench', log: quiet });
  const store = createPostgresEventStore({ pool, url, log: quiet });
  await store.start();
  return {
    store,
    close: async () => {
      await store.close();
      await pool.end();
    },
  };
}
