import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres.ts';
import { migrate } from '../../src/platform/migrate.ts';
import { administer, databaseUrl, OWNER_URL_VARIABLE, TEMPLATE } from './database.ts';

/** One PostgreSQL for the whole run, and in it the migrated database that each test copies. */
export default async function setUp(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'chat-test-'));
  const postgres = await startEmbeddedPostgres({ dataDir, log: pino({ level: 'error' }) });
  process.env[OWNER_URL_VARIABLE] = postgres.ownerUrl;
  Object.assign(globalThis, { testPostgres: { postgres, dataDir } });
  // Durability has journeys of its own, on servers of their own: here it would only cost time.
  for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit'])
    await administer(`alter system set ${setting} = off`);
  await administer('select pg_reload_conf()');
  await administer(`create database ${TEMPLATE}`);
  await migrate(databaseUrl(TEMPLATE));
}
