import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres.ts';
import { migrate } from '../../src/platform/migrate.ts';
import { administer, databaseUrl, OWNER_URL_VARIABLE, TEMPLATE } from './database.ts';
import { prepareDebianPrograms } from './debian-programs.ts';

/**
 * One PostgreSQL for the whole run, and in it the migrated database that each test copies; and the programs of Debian
 * that the system lacks, before two workers could want to download them.
 */
export default async function setUp(): Promise<void> {
  const [, programs] = await Promise.all([startPostgres(), prepareDebianPrograms().catch((error) => error)]);
  // The tests that need none of them can run all the same; the others fail with a word on what to install.
  if (programs instanceof Error) process.stderr.write(`${programs.message}\n`);
}

async function startPostgres(): Promise<void> {
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
