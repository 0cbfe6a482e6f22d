import type pg from 'pg';
import type { Logger } from 'pino';
import { createLog } from '../src/compose/log.ts';
import { type Config, readConfig } from '../src/config.ts';
import { type Closers, closers } from '../src/kit/closers.ts';
import { openDatabase } from '../src/adapters/embedded-postgres/open-database.ts';
import { createLogger } from '../src/adapters/pino/logger.ts';
import { createPool } from '../src/adapters/postgres/connection.ts';
import { EmptyDatabase } from '../src/adapters/postgres/migrate.ts';
import { NoLogin } from '../src/adapters/postgres/logins.ts';
import { prepareDatabase, requirePrepared } from '../src/adapters/postgres/prepare-database.ts';

/** What a program for operators works on. `open` closes what it adds at the end. */
export interface OpenedDatabase {
  config: Config;
  log: Logger;
  open: Closers;
  /** The URL of the application. */
  databaseUrl: string;
  pool: pg.Pool;
}

interface Settings {
  /** The name of the connections. */
  name: string;
  /**
   * Makes the database where there is none or an empty one, and the application's login, as a server does at its start.
   * By default that is refused.
   */
  mayMake?: boolean;
}

interface OpenedServer extends Pick<OpenedDatabase, 'config' | 'log' | 'open'> {
  /** What DATABASE_URL names, or the owner of the embedded database. */
  url: string;
  /** What DATABASE_OWNER_URL names. */
  ownerUrl: string | undefined;
}

/** Opens the PostgreSQL that the settings of the server name, prepared or not, for the duration of `work`. */
export async function withServer<T>(
  { mayMake }: Required<Pick<Settings, 'mayMake'>>,
  work: (opened: OpenedServer) => Promise<T>,
): Promise<T> {
  const config = readConfig(process.env);
  const log = createLogger({ level: 'error', destination: process.stderr });
  const open = closers(log);
  try {
    const database = await openDatabase({ ...config, log, mayMake });
    open.add('database', () => database.close());
    return await work({ config, log, open, url: database.ownerUrl, ownerUrl: config.databaseOwnerUrl });
  } finally {
    await open.closeAll();
  }
}

/**
 * Opens the database that the settings of the server name, whether a server runs or not, for the duration of `work`.
 * Changes nothing itself unless it `mayMake`: an absent, empty or older database is refused.
 */
export const withDatabase = <T>(
  { name, mayMake = false }: Settings,
  work: (opened: OpenedDatabase) => Promise<T>,
): Promise<T> =>
  withServer({ mayMake }, async ({ config, log, open, url, ownerUrl }) => {
    const databaseUrl = await requirePrepared(url, ownerUrl).catch((error: unknown) => {
      const isUnprepared = error instanceof EmptyDatabase || error instanceof NoLogin;
      if (mayMake && isUnprepared) return prepareDatabase(url, ownerUrl);
      throw error;
    });
    const pool = createPool({ url: databaseUrl, max: 4, applicationName: name, log });
    open.add('pool', () => pool.end());
    return work({ config, log, open, databaseUrl, pool });
  });

/** Opens the log in an opened database, or the one in EventStoreDB that it follows, without starting it. */
export async function openLog({ config, log, open, databaseUrl, pool }: OpenedDatabase) {
  const opened = await createLog(config, log, { databaseUrl, pool });
  open.add('log', () => opened.store.close());
  return opened;
}
