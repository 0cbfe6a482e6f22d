import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { type DataDirLock, DataDirInUse, lockDataDir } from './data-dir-lock.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';

/** A database to work on. */
export interface OpenDatabase {
  /** Connects as the owner of the schema, or as the application's login where the operator made one. */
  ownerUrl: string;
  /** Stops PostgreSQL if it was started here, and leaves another process's running. */
  close(): Promise<void>;
}

/** The data folder has no database. The message names it. */
export class NoDatabase extends Error {
  override readonly name = 'NoDatabase';
}

/** The fourth line of postmaster.pid is the port (PostgreSQL, src/include/utils/pidfile.h). */
const PORT_LINE = 3;
/** Time for another process to answer. A server that has just taken the folder makes its database first. */
const RUNNING_MS = 15_000;

/**
 * Opens the database at `databaseUrl`, or else the embedded one of `dataDir`: joins it where another process
 * runs it, so that tools work beside a server, and starts it otherwise.
 */
export async function openDatabase({
  databaseUrl,
  dataDir,
  log,
  exclusive = false,
  mayMake = true,
}: {
  databaseUrl?: string | undefined;
  dataDir: string;
  log: Logger;
  /** Throws `DataDirInUse` instead of joining. For the server, which must be alone on its folder. */
  exclusive?: boolean;
  /** Without it, throws `NoDatabase` where there is none, and leaves the folder as it is. */
  mayMake?: boolean;
}): Promise<OpenDatabase> {
  if (databaseUrl !== undefined) return { ownerUrl: databaseUrl, close: async () => {} };
  if (!mayMake && !existsSync(join(dataDir, 'postgres')))
    throw new NoDatabase(
      `there is no database in ${resolve(dataDir)}: set DATA_DIR or DATABASE_URL as for the server`,
    );
  const lock = await (exclusive ? lockDataDir : lockOrNothing)(dataDir);
  if (!lock) return { ownerUrl: await runningUrl(dataDir), close: async () => {} };
  try {
    const embedded = await startEmbeddedPostgres({ dataDir, log });
    const close = async () => {
      await embedded.stop();
      await lock.release();
    };
    return { ownerUrl: embedded.ownerUrl, close };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * Resolves with undefined when another process holds the lock: that one runs the PostgreSQL of the folder, or
 * will soon.
 */
async function lockOrNothing(dataDir: string): Promise<DataDirLock | undefined> {
  try {
    return await lockDataDir(dataDir);
  } catch (error) {
    if (error instanceof DataDirInUse) return undefined;
    throw error;
  }
}

/** Resolves with the owner's URL of the PostgreSQL that another process runs on `dataDir`, as soon as it answers. */
async function runningUrl(dataDir: string): Promise<string> {
  const deadline = Date.now() + RUNNING_MS;
  for (;;) {
    const url = await writtenUrl(dataDir);
    if (url !== undefined && (await answers(url))) return url;
    if (Date.now() > deadline) throw new Error(`The PostgreSQL of ${dataDir} is in use, but does not answer`);
    await pause(200);
  }
}

async function writtenUrl(dataDir: string): Promise<string | undefined> {
  const [pidFile, password] = await Promise.all([
    readIfThere(join(dataDir, 'postgres', 'postmaster.pid')),
    readIfThere(join(dataDir, 'postgres-password')),
  ]);
  const port = Number(pidFile?.split('\n')[PORT_LINE]);
  if (!password || !Number.isInteger(port) || port <= 0) return undefined;
  return `postgres://postgres:${encodeURIComponent(password.trim())}@127.0.0.1:${port}/postgres`;
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
