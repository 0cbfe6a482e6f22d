import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../src/adapters/embedded-postgres/embedded-postgres.ts';
import { locatePostgres } from '../src/adapters/embedded-postgres/binaries.ts';

export const quiet = pino({ level: 'silent' });

/** A temporary PostgreSQL with exactly the settings of the one that `npm start` embeds. */
export interface TemporaryPostgres {
  dataDir: string;
  pid: number;
  ownerUrl: string;
  /** Creates an empty database on this server. Returns its owner's URL. */
  createDatabase: (name: string) => Promise<string>;
  stop: () => Promise<void>;
}

export const temporaryFolder = () => mkdtemp(join(tmpdir(), 'chat-bench-'));

/** Resolves with the rows of one statement, on a connection of its own. */
export async function query<T extends pg.QueryResultRow>(url: string, text: string): Promise<T[]> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<T>(text);
  await client.end();
  return rows;
}

/**
 * Starts PostgreSQL on `dataDir`, or on a new folder that `stop` removes. Throws when fsync is off, which
 * would flatter the figures.
 */
export async function startPostgres(kept?: string): Promise<TemporaryPostgres> {
  const dataDir = kept ?? (await temporaryFolder());
  const { ownerUrl, pid, stop } = await startEmbeddedPostgres({ dataDir, log: quiet });
  const [settings] = await query<{ fsync: string; commit: string }>(
    ownerUrl,
    `select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit`,
  );
  if (settings?.fsync !== 'on' || settings.commit !== 'on') throw new Error('fsync is off');
  return {
    dataDir,
    pid,
    ownerUrl,
    createDatabase: async (name) => {
      await query(ownerUrl, `create database ${name}`);
      const url = new URL(ownerUrl);
      url.pathname = `/${name}`;
      return url.href;
    },
    stop: async () => {
      await stop();
      if (kept === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Returns the version of the embedded PostgreSQL, such as "18.4". */
export async function postgresVersion(): Promise<string> {
  const { postgres } = await locatePostgres();
  const { stdout } = await promisify(execFile)(postgres, ['--version']);
  return stdout.trim().split(' ').at(-1) ?? 'unknown';
}
