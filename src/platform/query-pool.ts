import type { Logger } from 'pino';
import { type DatabasePool, type Interceptor, SchemaValidationError, createPool } from 'slonik';
import { APP_ROLE, withSession } from './postgres.ts';

/** Whatever the project asks is one of a few texts: each is prepared once per connection. */
function preparing(): Interceptor {
  const names = new Map<string, string>();
  const nameOf = (text: string): string => {
    const name = names.get(text) ?? `query_${names.size}`;
    names.set(text, name);
    return name;
  };
  return { name: 'preparing', transformQuery: (_context, query) => ({ ...query, name: nameOf(query.sql) }) };
}

/** Rows are what their zod type says, or the query fails. */
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
 * The connections of the queries. What slonik does by default for every query and this project does not need is off:
 * stack traces, spans, resetting the session (no query changes it), a type parser made per connection.
 */
export async function createQueryPool({
  url,
  log,
  max = 10,
}: {
  url: string;
  log: Logger;
  max?: number;
}): Promise<DatabasePool> {
  const db = await createPool(withSession(url, { role: APP_ROLE }), {
    captureStackTrace: false,
    connectionTimeout: 3_000,
    idleInTransactionSessionTimeout: 'DISABLE_TIMEOUT',
    idleTimeout: 60_000,
    interceptors: [preparing(), checkingRows],
    maxPoolSize: max,
    queryRetryLimit: 2,
    resetConnection: async () => {},
    statementTimeout: 'DISABLE_TIMEOUT',
    tracing: false,
    typeParsers: [
      { name: 'int8', parse: Number },
      { name: 'timestamptz', parse: (value) => new Date(value).toISOString() },
    ],
  });
  db.on('error', (error) => log.warn({ err: error }, 'connection of the queries lost'));
  return db;
}
