import pg from 'pg';
import type { Logger } from 'pino';

/** The role the application works as: it may read the log and append to it. Its login is a member of it: prepare-database.ts. */
export const APP_ROLE = 'chat_app';

const INT8 = 20;

/** Every number the project stores stays below 2^53, so int8 is a number here; pg would answer with strings. */
export const columnTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format),
};

export interface SessionSettings {
  role?: string;
  /** Any statement that runs longer is cancelled by the server; 0 is no limit. Default 10,000 ms. */
  statementTimeoutMs?: number;
  /** More settings of the server, as `name: value`. */
  settings?: Record<string, string>;
}

const STATEMENT_TIMEOUT_MS = 10_000;
/** How long a caller waits for a connection of a pool. */
export const WAIT_MS = 2_000;
/** Callers that may wait for a connection of one pool. */
export const MAX_WAITING = 1_000;

/** For whatever a request waits for: nobody hears the answer to a statement that takes longer. */
export const REQUESTS = {
  statementTimeoutMs: 3_500,
  settings: { lock_timeout: '2000' },
} satisfies SessionSettings;

/** How long a client waits for an answer: a server that is stopped or cut off cancels nothing. 0 is no limit. */
export const answerMs = ({ statementTimeoutMs = STATEMENT_TIMEOUT_MS }: SessionSettings): number =>
  statementTimeoutMs === 0 ? 0 : statementTimeoutMs + 500;

/** The server lets go of the locks of a client that has vanished after about 30 s, not two hours. */
const KEEPALIVE = {
  tcp_keepalives_idle: '15',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '30000',
};

/** The same address, with the settings that each connection to it starts with. */
export function withSession(
  url: string,
  { role, statementTimeoutMs = STATEMENT_TIMEOUT_MS, settings = {} }: SessionSettings,
): string {
  const all: Record<string, string> = {
    ...(role !== undefined && { role }),
    TimeZone: 'UTC',
    statement_timeout: String(statementTimeoutMs),
    idle_in_transaction_session_timeout: '10000',
    jit: 'off',
    ...KEEPALIVE,
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

/** No connection or no answer to be had in time: SQLSTATE 53300, "too many connections". Safe to repeat in a moment. */
export class DatabaseBusy extends Error {
  override readonly name = 'DatabaseBusy';
  readonly code = '53300';
}

export interface PoolSettings extends SessionSettings {
  url: string;
  /** Connections at most. A caller waits for one, then fails with `DatabaseBusy` or an error of pg's. */
  max: number;
  applicationName: string;
  log: Logger;
}

type Connected = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

/** A pool whose queue has an end: whoever would wait behind so many would only hear later that it was in vain. */
class BoundedPool extends pg.Pool {
  override connect(): Promise<pg.PoolClient>;
  override connect(connected: Connected): void;
  override connect(connected?: Connected): Promise<pg.PoolClient> | void {
    if (this.waitingCount < MAX_WAITING) return connected ? super.connect(connected) : super.connect();
    const busy = new DatabaseBusy(`${MAX_WAITING} are waiting for a connection already`);
    if (!connected) return Promise.reject(busy);
    connected(busy, undefined, () => undefined);
  }
}

/** A pool whose connections may break, idle or checked out, without taking the process down. */
export function createPool({ url, max, applicationName, log, ...session }: PoolSettings): pg.Pool {
  const pool = new BoundedPool({
    connectionString: withSession(url, session),
    max,
    application_name: applicationName,
    connectionTimeoutMillis: WAIT_MS,
    query_timeout: answerMs(session),
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
