import pg from 'pg';
import type { Logger } from 'pino';

/** The role the application works as: it may read and extend the log, not change it. Made by the first migration. */
export const APP_ROLE = 'chat_app';

const INT8 = 20;

/** Every number the project stores stays below 2^53, so int8 is a number here; pg would answer with strings. */
export const columnTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format),
};

export interface SessionSettings {
  role?: string;
  /** Any statement that runs longer is cancelled by the server. Default 10,000 ms. */
  statementTimeoutMs?: number;
  /** More settings of the server, as `name: value`. */
  settings?: Record<string, string>;
}

/** The same address, with the settings that each connection to it starts with. */
export function withSession(
  url: string,
  { role, statementTimeoutMs = 10_000, settings = {} }: SessionSettings,
): string {
  const all: Record<string, string> = {
    ...(role !== undefined && { role }),
    TimeZone: 'UTC',
    statement_timeout: String(statementTimeoutMs),
    idle_in_transaction_session_timeout: '10000',
    jit: 'off',
    ...settings,
  };
  const options = Object.entries(all).map(([name, value]) => `-c ${name}=${value}`);
  const address = new URL(url);
  const given = address.searchParams.get('options') ?? '';
  address.searchParams.delete('options');
  // Not searchParams.set(): it writes a space as "+", which only forms read back as a space.
  const joined = `options=${encodeURIComponent([given, ...options].join(' ').trim())}`;
  address.search = address.search ? `${address.search}&${joined}` : joined;
  return address.href;
}

export interface PoolSettings extends SessionSettings {
  url: string;
  /** Connections at most; a caller waits 3 s for one, then fails. */
  max: number;
  applicationName: string;
  log: Logger;
}

/** A pool whose connections may break, idle or checked out, without taking the process down. */
export function createPool({ url, max, applicationName, log, ...session }: PoolSettings): pg.Pool {
  const pool = new pg.Pool({
    connectionString: withSession(url, session),
    max,
    application_name: applicationName,
    connectionTimeoutMillis: 3_000,
    keepAlive: true,
    types: columnTypes,
  });
  // The pool itself listens to idle connections only, and an error that nobody listens to ends the process.
  pool.on('connect', (client) =>
    client.on('error', (err) => log.warn({ err, pool: applicationName }, 'a connection is lost')),
  );
  pool.on('error', () => {});
  return pool;
}
