import pg from 'pg';
import { pino } from 'pino';
import { AggregateLoader } from '../../../src/commands/aggregate-cache.ts';
import type { DomainEvent } from '../../../src/events/domain-event.ts';
import type { Recorded } from '../../../src/events/event-store.ts';
import { createPostgresEventStore } from '../../../src/adapters/postgres/event-log/event-store.ts';
import { createLookups } from '../../../src/adapters/postgres/tables/message-facts.ts';
import { createReadMarkers } from '../../../src/adapters/postgres/tables/read-markers.ts';
import { columnTypes, createPool, withSession } from '../../../src/adapters/postgres/connection.ts';
import { createQueryPool } from '../../../src/adapters/postgres/query-pool.ts';
import { startProjections } from '../../../src/adapters/postgres/read-models/run-projections.ts';
import { bindQueries } from '../../../src/queries/queries.ts';
import { createTestDatabase, TEMPLATE_WITH_READ_MODELS } from './database.ts';
import { happened } from '../language/history.ts';

/** A log, its read models and all queries on them, on a database of its own. */
export async function openReadSide() {
  const log = pino({ level: 'silent' });
  const database = await createTestDatabase(TEMPLATE_WITH_READ_MODELS);
  const { url } = database;
  const owner = new pg.Client({ connectionString: withSession(database.ownerUrl, {}), types: columnTypes });
  await owner.connect();
  const pool = createPool({ url, max: 4, applicationName: 'test', log });
  const store = createPostgresEventStore({ pool, url, log });
  await store.start();
  const projections = await startProjections({ store, databaseUrl: url, log });
  const { progress } = projections;
  const db = await createQueryPool({ url, applicationName: 'queries', log, max: 4 });
  const loader = new AggregateLoader(store, new Map());

  return {
    url,
    log,
    store,
    owner,
    projections,
    db,
    queries: bindQueries(db),
    lookups: createLookups({ store, pool, progress }),
    readMarkers: createReadMarkers({ store, pool, loader, progress }),
    /** Appends events and waits until every read model shows them. */
    async happened(...events: DomainEvent[]): Promise<Recorded[]> {
      const stored = await happened(store, ...events);
      if (!(await progress.reached(stored.at(-1)!.position, 10_000)))
        throw new Error('the read models are behind');
      return stored;
    },
    async close() {
      await projections.stop();
      await db.end();
      await store.close();
      await pool.end();
      await owner.end();
      await database.drop();
    },
  };
}

export type ReadSide = Awaited<ReturnType<typeof openReadSide>>;
