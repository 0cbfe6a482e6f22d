import pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import type { Logger } from 'pino';
import { Client } from './client.ts';

const INT8 = 20;

/** All stored numbers are below 2^53, so int8 is read as a number; pg would return strings. */
export const columnTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format),
};

export interface SessionSettings {
  /** The server cancels statements that run longer; 0 is no limit. Default 10,000 ms. */
  statementTimeoutMs?: number;
  /** More settings of the server, as `name: value`. */
  settings?: Record<string, string>;
}

const STATEMENT_TIMEOUT_MS = 10_000;
/** Longest wait for a connection of a pool. */
export const WAIT_MS = 2_000;
/** Number of callers that may wait for a connection of one pool. */
export const MAX_WAITING = 1_000;

/** Settings for statements that a request waits for. The answer to a longer one would come too late. */
export const REQUESTS = {
  statementTimeoutMs: 3_500,
  settings: { lock_timeout: '2000' },
} satisfies SessionSettings;

/**
 * Returns how long a client waits for an answer, in milliseconds: a server that is stopped or cut off cancels
 * nothing. 0 is no limit.
 */
export const answerMs = ({ statementTimeoutMs = STATEMENT_TIMEOUT_MS }: SessionSettings): number =>
  statementTimeoutMs === 0 ? 0 : statementTimeoutMs + 500;

/** The server releases the locks of a vanished client after about 30 s, instead of two hours. */
const KEEPALIVE = {
  tcp_keepalives_idle: '15',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '30000',
};

/** Returns the URL with the settings that each of its sessions starts with. */
export const withSession = (
  url: string,
  { statementTimeoutMs = STATEMENT_TIMEOUT_MS, settings = {} }: SessionSettings,
): string =>
  withSettings(url, {
    TimeZone: 'UTC',
    statement_timeout: String(statementTimeoutMs),
    idle_in_transaction_session_timeout: '10000',
    jit: 'off',
    ...KEEPALIVE,
    ...settings,
  });

/** Returns the URL with settings of the server, as `name: value`, added to those that it has. */
export function withSettings(url: string, settings: Record<string, string>): string {
  // The server splits options at spaces.
  const options = Object.entries(settings).map(
    ([name, value]) => `-c ${name}=${value.replace(/[\\\s]/g, '\\$&')}`,
  );
  const address = new URL(url);
  const given = address.searchParams.get('options') ?? '';
  address.searchParams.delete('options');
  // Not searchParams.set(): it writes a space as "+", which only forms read back as a space.
  const joined = `options=${encodeURIComponent([given, ...options].join(' ').trim())}`;
  address.search = address.search ? `${address.search}&${joined}` : joined;
  return address.href;
}

/** Returns true for a URL whose connections are, or may be, encrypted for a server that proves nothing. */
export function isUnproved(url: string): boolean {
  const { ssl } = parseIntoClientConfig(url);
  return typeof ssl === 'object' && ssl.rejectUnauthorized === false;
}

/**
 * No connection, or no answer, was available in time: SQLSTATE 53300, "too many connections". Safe to repeat
 * in a moment.
 */
export class DatabaseBusy extends Error {
  override readonly name = 'DatabaseBusy';
  readonly code = '53300';
}

export interface PoolSettings extends SessionSettings {
  url: string;
  /** Maximum number of connections. A caller waits for one, then fails with `DatabaseBusy` or an error of pg. */
  max: number;
  applicationName: string;
  log: Logger;
}

type Connected = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

/** A pool with a limited queue: a caller behind that many others would only fail later. */
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

/** The use of a pool of connections. */
export interface PoolUse {
  inUse: number;
  idle: number;
  /** Number of callers that wait for a connection. */
  waiting: number;
  max: number;
}

export const useOf = ({ totalCount, idleCount, waitingCount, options }: pg.Pool): PoolUse => ({
  inUse: totalCount - idleCount,
  idle: idleCount,
  waiting: waitingCount,
  max: options.max,
});

/** Creates a pool whose connections may break, idle or checked out, without ending the process. */
export function createPool({ url, max, applicationName, log, ...session }: PoolSettings): pg.Pool {
  const pool = new BoundedPool({
    Client,
    connectionString: withSession(url, session),
    max,
    application_name: applicationName,
    connectionTimeoutMillis: WAIT_MS,
    query_timeout: answerMs(session),
    keepAlive: true,
    types: columnTypes,
  });
  // The pool listens to idle connections only, and an unhandled error event ends the process.
  pool.on('connect', (client) =>
    client.on('error', (err) => log.warn({ err, pool: applicationName }, 'a connection is lost')),
  );
  pool.on('error', () => {});
  return pool;
}
