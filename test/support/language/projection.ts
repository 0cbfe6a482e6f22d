import { expect } from '@jest/globals';
import pg from 'pg';
import type { DomainEvent, EventType } from '../../../src/events/domain-event.ts';
import type { Recorded } from '../../../src/events/event-store.ts';
import { ProjectingConnection, handledBy } from '../../../src/adapters/postgres/read-models/projections.ts';
import { columnTypes, withSession } from '../../../src/adapters/postgres/connection.ts';
import {
  createIndexes,
  createTables,
} from '../../../src/adapters/postgres/read-models/read-model-schemas.ts';
import { inTransaction } from '../../../src/adapters/postgres/transactions.ts';
import type { Projection } from '../../../src/projections/projection.ts';
import { type TestDatabase, createTestDatabase } from '../stages/database.ts';
import { uuid } from './example-events.ts';
import { streamOf } from './history.ts';

/** The time of the n-th event of a history: one every second. */
export const at = (n: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, n)).toISOString();

/** Returns a history as recorded in a log: the n-th event has position n and happened at `at(n)`. */
export function recorded(events: readonly DomainEvent[]): Recorded[] {
  const revisions = new Map<string, number>();
  return events.map((event, index) => {
    const stream = streamOf(event);
    const revision = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, revision);
    const metadata = { actorId: null, correlationId: uuid(0xc0), causationId: null };
    const position = index + 1;
    return {
      ...event,
      id: uuid(0xe000 + position),
      stream,
      revision,
      position,
      v: 1,
      occurredAt: at(position),
      metadata,
    };
  }) as Recorded[];
}

export type Rows = Record<string, unknown>[];

/**
 * The language of projection specs: `given(...events).then(table, columns, rows)`. Each history is applied as
 * one batch, event by event, in two overlapping halves, and a second time: the rows must be the same every
 * time.
 */
export function stage<T extends EventType>(projection: Projection<T>) {
  const schema = 'staged';
  let database: TestDatabase;
  let app: pg.Client;

  async function fresh(): Promise<ProjectingConnection> {
    await app.query(`drop schema if exists ${schema} cascade`);
    await inTransaction(app, async () => {
      await createTables(app, schema, projection as unknown as Projection);
      await createIndexes(app, schema, projection as unknown as Projection);
    });
    await app.query(`insert into checkpoints (name, position) values ('${schema}', 0)
                       on conflict (name) do update set position = 0`);
    return ProjectingConnection.open({ url: database.url, schema });
  }

  async function rowsAfter(batches: Recorded[][], query: string): Promise<Rows> {
    const connection = await fresh();
    try {
      for (const batch of batches) {
        const statements = projection.project(handledBy(projection as never, batch).events as never);
        await connection.apply({ name: schema, from: 0, to: 0, statements });
      }
      return (await app.query(query)).rows as Rows;
    } finally {
      await connection.close();
    }
  }

  return {
    async open() {
      database = await createTestDatabase();
      app = new pg.Client({ connectionString: withSession(database.url, {}), types: columnTypes });
      await app.connect();
    },
    async close() {
      await app.end();
      await database.drop();
    },
    /** Resolves with the rows of a query on the tables of the schema after some batches. */
    after: rowsAfter,
    schema,
    given: (...events: DomainEvent[]) => ({
      then: async (table: string, columns: string, rows: Rows) => {
        const log = recorded(events);
        const middle = Math.ceil(log.length / 2);
        const query = `select * from (select ${columns} from ${schema}.${table}) r order by r`;
        const oneByOne = log.map((event) => [event]);
        const ways = {
          whole: [log],
          'whole, twice': [log, log],
          'one by one': oneByOne,
          'one by one, then whole': [...oneByOne, log],
          'whole, then one by one': [log, ...oneByOne],
          'in overlapping parts': [log.slice(0, middle), log.slice(Math.max(0, middle - 2))],
        };
        for (const [way, batches] of Object.entries(ways))
          expect({ way, rows: await rowsAfter(batches, query) }).toEqual({ way, rows });
      },
    }),
  };
}
