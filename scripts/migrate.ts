import pg from 'pg';
import { BadConfig, readConfig } from '../src/config.ts';
import { createLogger } from '../src/adapters/pino/logger.ts';
import { MigrationError } from '../src/adapters/postgres/migrate.ts';
import { openDatabase } from '../src/adapters/embedded-postgres/open-database.ts';
import { NoLogin, prepareDatabase } from '../src/adapters/postgres/prepare-database.ts';

/**
 * Migrates the database as DATABASE_OWNER_URL and creates the application's login with the name and password
 * of DATABASE_URL, so that no serving process needs the owner's password.
 */
async function run(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLogger({ level: 'error' });
  const database = await openDatabase({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log });
  try {
    const url = new URL(await prepareDatabase(database.ownerUrl, config.databaseOwnerUrl));
    process.stdout.write(
      `The database is up to date; the application logs in as ${decodeURIComponent(url.username)}.\n`,
    );
  } finally {
    await database.close();
  }
}

try {
  await run();
} catch (error) {
  const isPlain =
    error instanceof BadConfig ||
    error instanceof MigrationError ||
    error instanceof NoLogin ||
    error instanceof pg.DatabaseError ||
    (error instanceof Error && 'code' in error);
  if (!isPlain) throw error;
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
