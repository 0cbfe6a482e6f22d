import { randomUUID } from 'node:crypto';
import {
  EventStoreDBClient,
  NO_STREAM,
  START,
  WrongExpectedVersionError,
  jsonEvent,
} from '@eventstore/db-client';
import pg from 'pg';
import type { EventStore } from '../../../src/events/event-store.ts';
import { startEventStoreDb } from '../eventstoredb/eventstoredb.ts';
import { endOf } from '../eventstoredb/stage.ts';
import { withEventStoreDbLog, withPostgresLog } from './open-logs.ts';
import { DISARM } from './seal-stage.ts';

/** A server that keeps the log of a program under test. */
export interface LogServer {
  /** The settings that make a program keep its log there. */
  env: Record<string, string>;
  /** Opens the log beside a program, with the keys in its database, for the duration of `work`. */
  beside<T>(databaseUrl: string, work: (store: EventStore) => Promise<T>): Promise<T>;
  /** Resolves with the data of all events as they are stored, as text. A program has its database at this URL. */
  stored(ownerUrl: string): Promise<string[]>;
  /** Changes the data of a stored event behind everybody's back. A real EventStoreDB does not let anybody. */
  forge?: (ownerUrl: string, position: number, data: string) => Promise<void>;
  close(): Promise<void>;
}

/** A real EventStoreDB, which keeps what earlier tests stored. */
const realUrl = process.env['EVENTSTOREDB_TEST_URL'];

async function query<R extends pg.QueryResultRow>(url: string, text: string, values?: unknown[]) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<R>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** The log in the program's own database. */
async function inPostgres(): Promise<LogServer> {
  return {
    env: {},
    beside: withPostgresLog,
    stored: async (ownerUrl) =>
      (await query<{ data: string }>(ownerUrl, 'select data::text from events')).map(({ data }) => data),
    async forge(ownerUrl, position, data) {
      const client = new pg.Client({ connectionString: ownerUrl });
      await client.connect();
      await client.query(`begin; ${DISARM}`);
      await client.query('update events set data = $2 where position = $1', [position, data]);
      await client.query('commit');
      await client.end();
    },
    close: async () => {},
  };
}

/**
 * Makes sure that a new log begins with events that need no key. A program reads the first ones of its log when it starts,
 * and has not the keys of what earlier programs wrote.
 */
async function beginWithoutText(url: string): Promise<void> {
  const client = EventStoreDBClient.connectionString(url);
  const [jobId, occurredAt] = ['00000000-0000-4000-8000-00000000f125', '2026-01-01T00:00:00.000Z'];
  const metadata = { $correlationId: randomUUID(), actorId: null, occurredAt, v: 1 };
  const closed = () => jsonEvent({ type: 'JobClosed', data: { jobId, groupId: jobId }, metadata });
  await client
    .appendToStream(`job-${jobId}`, [closed(), closed()], { expectedRevision: NO_STREAM })
    .catch((error: unknown) => {
      if (!(error instanceof WrongExpectedVersionError)) throw error;
    });
  await client.dispose();
}

/** The log in EventStoreDB: a real one if there is one, otherwise the stand-in. */
async function inEventStoreDb(): Promise<LogServer> {
  const standIn = realUrl === undefined ? await startEventStoreDb() : undefined;
  const url = realUrl ?? standIn!.url;
  if (!standIn) await beginWithoutText(url);
  return {
    env: { EVENTSTOREDB_URL: url },
    beside: (databaseUrl, work) => withEventStoreDbLog(url, databaseUrl, work),
    async stored() {
      const client = EventStoreDBClient.connectionString(url);
      const found: string[] = [];
      for await (const { event } of client.readAll({ fromPosition: START }))
        found.push(event?.isJson ? JSON.stringify(event.data) : String(event?.data));
      await client.dispose();
      return found;
    },
    ...(standIn && {
      async forge(_ownerUrl: string, position: number, data: string) {
        standIn.events().find((event) => event.position === position)!.data = Buffer.from(data);
      },
    }),
    close: async () => standIn?.stop(),
  };
}

export interface LogKind {
  name: string;
  open: () => Promise<LogServer>;
  /** Whether nobody else writes to it, so that tests may change it and have the keys of all its text. */
  isOwn: boolean;
}

/** Where a log can be: each journey of audits and erasures runs on all of them. */
export const logKinds: readonly LogKind[] = [
  { name: 'PostgreSQL', open: inPostgres, isOwn: true },
  { name: 'EventStoreDB', open: inEventStoreDb, isOwn: realUrl === undefined },
];

/**
 * Makes a database that has followed no log yet begin at the end of one that others have written to: it does not have the
 * keys of their text.
 */
export async function beginAtTheEnd(ownerUrl: string, eventStoreDbUrl: string): Promise<void> {
  await query(
    ownerUrl,
    `insert into public.checkpoints (name, position, version)
     select name, $1::bigint, version from (
       select name, version from public.checkpoints
       union all select name, 1 from unnest(array['reactions', 'erasures', 'tidy']) name
     ) followers
     where not exists (select from public.log_identity)
     on conflict (name) do update set position = excluded.position`,
    [await endOf(eventStoreDbUrl)],
  );
}
