import { createDriverFactory } from '@slonik/driver';
import type pg from 'pg';
import type { Logger } from 'pino';
import {
  type DatabasePool,
  type DriverFactory,
  type Interceptor,
  SchemaValidationError,
  createPool,
} from 'slonik';
import { Client } from './client.ts';
import { createGate } from './gate.ts';
import {
  DatabaseBusy,
  MAX_WAITING,
  type PoolUse,
  REQUESTS,
  WAIT_MS,
  answerMs,
  columnTypes,
  withSession,
} from './connection.ts';
import { within } from '../../kit/deadline.ts';

/** Prepares each query once per connection: the application uses a small set of texts. */
function preparing(): Interceptor {
  const names = new Map<string, string>();
  const nameOf = (text: string): string => {
    const name = names.get(text) ?? `query_${names.size}`;
    names.set(text, name);
    return name;
  };
  return { name: 'preparing', transformQuery: (_context, query) => ({ ...query, name: nameOf(query.sql) }) };
}

/** Checks rows against their zod type. The query fails when they do not match. */
const checkingRows: Interceptor = {
  name: 'checking-rows',
  transformRow: ({ resultParser }, query, row) => {
    const checked = resultParser?.['~standard'].validate(row);
    if (!checked) return row;
    if (checked instanceof Promise) throw new TypeError('row types are checked at once');
    if (checked.issues) throw new SchemaValidationError(query, row, checked.issues);
    return checked.value as typeof row;
  },
};

/**
 * Closes a connection that does not answer in time, so that a late answer is dropped: a stopped server
 * enforces no timeout.
 */
const answeringInTime =
  (factory: DriverFactory, milliseconds: number): DriverFactory =>
  async (setup) => {
    const { createClient } = await factory(setup);
    return {
      async createClient() {
        const client = await createClient();
        const giveUp = () => {
          void client.destroy().catch(() => undefined);
          throw new DatabaseBusy(`no answer within ${milliseconds} ms`);
        };
        return { ...client, query: (...asked) => within(client.query(...asked), milliseconds, giveUp) };
      },
    };
  };

/** Types of columns as queries read them: numbers below 2^53, and times in RFC 3339. */
const TIMESTAMPTZ = 1_184;
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === TIMESTAMPTZ && format !== 'binary'
      ? (text: string) => new Date(text).toISOString()
      : columnTypes.getTypeParser(oid, format),
};

/**
 * Creates slonik's driver on the client of the other pools, which chooses hosts and TLS. The driver that comes with
 * slonik would end the process when its first connection fails, and knows neither several hosts nor every `sslmode`.
 */
const driverOn = (url: string) =>
  createDriverFactory(async () => ({
    async createPoolClient({ clientEventEmitter }) {
      const client = new Client({
        connectionString: url,
        connectionTimeoutMillis: WAIT_MS,
        keepAlive: true,
        types,
      });
      client.on('error', (error) => clientEventEmitter.emit('error', error));
      return {
        connect: async () => void (await client.connect()),
        end: () => client.end(),
        async query(text, values, { name } = {}) {
          const result = await client.query({
            text,
            ...(values && { values }),
            ...(name !== undefined && { name }),
          });
          return {
            command: result.command as 'SELECT',
            fields: result.fields.map((field) => ({ dataTypeId: field.dataTypeID, name: field.name })),
            rowCount: result.rowCount,
            rows: result.rows,
          };
        },
        stream: () => {
          throw new Error('queries are not streamed');
        },
      };
    },
  }));

/** The methods that take a connection. */
const ASKING = [
  ...['any', 'anyFirst', 'connect', 'exists', 'many', 'manyFirst', 'maybeOne', 'maybeOneFirst'],
  ...['one', 'oneFirst', 'query', 'transaction'],
] as const;

/** A pool that tells its use. */
export type QueryPool = DatabasePool & { use(): PoolUse };

/** Limits the queue for connections. Slonik's own queue is limited neither in length nor in time. */
function waitingInTurn(db: DatabasePool, max: number): QueryPool {
  const gate = createGate({ atOnce: max, maxWaiting: MAX_WAITING, waitMs: WAIT_MS });
  const methods = db as unknown as Record<string, (...asked: unknown[]) => Promise<unknown>>;
  const gated = ASKING.map((name) => [
    name,
    (...asked: unknown[]) => gate.run(() => methods[name]!(...asked)),
  ]);
  return {
    ...db,
    ...Object.fromEntries(gated),
    use() {
      const { acquiredConnections: inUse, idleConnections: idle } = db.state();
      return { inUse, idle, waiting: gate.waiting(), max };
    },
  };
}

/**
 * Planning the page of a list takes longer than reading it, and PostgreSQL would choose, for each connection by its first
 * five calls, whether to plan every call anew. Every query is written so that one plan is right for all callers.
 */
const SETTINGS = { ...REQUESTS.settings, plan_cache_mode: 'force_generic_plan' };

/**
 * Creates a pool for one kind of query. Callers that wait too long for a connection, or for an answer, get
 * `DatabaseBusy`. Defaults of slonik that this project does not need are off: stack traces, spans, resetting
 * the session (no query changes it), a type parser made per connection.
 */
export async function createQueryPool({
  url,
  applicationName,
  log,
  max,
}: {
  url: string;
  applicationName: string;
  log: Logger;
  max: number;
}): Promise<QueryPool> {
  const session = withSession(url, { ...REQUESTS, settings: SETTINGS });
  const address = `${session}&application_name=${applicationName}`;
  const db = await createPool(address, {
    captureStackTrace: false,
    connectionRetryLimit: 0,
    connectionTimeout: WAIT_MS,
    driverFactory: answeringInTime(driverOn(address), answerMs(REQUESTS)),
    // An abandoned connection has nothing to finish.
    gracefulTerminationTimeout: 10,
    idleInTransactionSessionTimeout: 'DISABLE_TIMEOUT',
    idleTimeout: 60_000,
    interceptors: [preparing(), checkingRows],
    maxPoolSize: max,
    queryRetryLimit: 2,
    resetConnection: async () => {},
    statementTimeout: 'DISABLE_TIMEOUT',
    tracing: false,
  });
  db.on('error', (error) => log.warn({ err: error, pool: applicationName }, 'a connection is lost'));
  return waitingInTurn(db, max);
}
