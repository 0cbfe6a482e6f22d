import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Logger } from 'pino';
import { startEmbeddedPostgres } from './embedded-postgres.ts';

/** A database to work on, and how to let go of it. */
export interface OpenDatabase {
  /** Connects as the owner of the schema. */
  ownerUrl: string;
  /** Stops PostgreSQL if it was started here; leaves one that others run alone. */
  close(): Promise<void>;
}

/** The fourth line of postmaster.pid is the port (PostgreSQL, src/include/utils/pidfile.h). */
const PORT_LINE = 3;

/**
 * For tools that work beside a server or without one: the database at `databaseUrl`, else the embedded one of
 * `dataDir`, joined where it runs already and started where it does not.
 */
export async function openDatabase({
  databaseUrl,
  dataDir,
  log,
}: {
  databaseUrl?: string | undefined;
  dataDir: string;
  log: Logger;
}): Promise<OpenDatabase> {
  const runningUrl = databaseUrl ?? (await findRunning(dataDir));
  if (runningUrl !== undefined) return { ownerUrl: runningUrl, close: async () => {} };
  const embedded = await startEmbeddedPostgres({ dataDir, log });
  return { ownerUrl: embedded.ownerUrl, close: () => embedded.stop() };
}

/** The owner's URL of the PostgreSQL that serves `dataDir` right now. A crash leaves a pid file behind: it is tried. */
async function findRunning(dataDir: string): Promise<string | undefined> {
  const [pidFile, password] = await Promise.all([
    readIfThere(join(dataDir, 'postgres', 'postmaster.pid')),
    readIfThere(join(dataDir, 'postgres-password')),
  ]);
  const port = Number(pidFile?.split('\n')[PORT_LINE]);
  if (!password || !Number.isInteger(port) || port <= 0) return undefined;
  const url = `postgres://postgres:${encodeURIComponent(password.trim())}@127.0.0.1:${port}/postgres`;
  return (await answers(url)) ? url : undefined;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function answers(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}
