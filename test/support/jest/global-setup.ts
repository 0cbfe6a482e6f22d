import { chmod, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../../../src/adapters/embedded-postgres/embedded-postgres.ts';
import { withSettings } from '../../../src/adapters/postgres/connection.ts';
import { migrate } from '../../../src/adapters/postgres/migrate.ts';
import { makeReadModels } from '../../../src/adapters/postgres/read-models/run-projections.ts';
import {
  administer,
  copyOf,
  databaseUrl,
  OWNER_URL_VARIABLE,
  ROLES,
  TEMPLATE,
  TEMPLATE_WITH_READ_MODELS,
} from '../stages/database.ts';
import { prepareDebianPrograms } from '../../../tools/debian-programs.ts';
import { createInMemoryEventStore } from '../language/in-memory-event-store.ts';

/** A disk in memory, if Linux has one. */
const MEMORY = '/dev/shm';
/** The tests need about 1 GiB at once; a container often has only 64 MiB. */
const ENOUGH_BYTES = 4 * 2 ** 30;
/** The prefix of the folder name of a run, followed by its process id. */
const PREFIX = 'chat-tests-';

/**
 * Starts one PostgreSQL for the whole run, with the migrated database that each test copies, and downloads
 * the Debian programs that the system lacks, before two workers would download them.
 */
export default async function setUp(): Promise<void> {
  const folder = await makeFolder();
  Object.assign(globalThis, { testFolder: folder });
  // The workers and all their child processes inherit it.
  process.env['TMPDIR'] = folder;
  const [, programs] = await Promise.all([startPostgres(), prepareDebianPrograms().catch((error) => error)]);
  // Tests that need none of them can still run; the others fail with a hint on what to install.
  if (programs instanceof Error) process.stderr.write(`${programs.message}\n`);
}

/**
 * Creates the folder for all files of this run. Tests create and drop hundreds of databases of about 300
 * files each: on a disk that takes three times as long, and the durability tests cover the death of
 * processes, not of disks.
 */
async function makeFolder(): Promise<string> {
  const memory = await statfs(MEMORY).catch(() => undefined);
  const hasRoom = memory !== undefined && memory.bavail * memory.bsize >= ENOUGH_BYTES;
  const parent = hasRoom ? MEMORY : tmpdir();
  await removeLeftovers(parent);
  const folder = await mkdtemp(join(parent, `${PREFIX}${process.pid}-`));
  // PostgreSQL does not run as root.
  await chmod(folder, 0o711);
  return folder;
}

/** Removes the folders of killed runs, which take memory. Two concurrent runs may remove the same folder. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(PREFIX) && Number.parseInt(name.slice(PREFIX.length), 10);
    if (pid && !isRunning(pid)) await rm(join(parent, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function startPostgres(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'chat-test-'));
  const postgres = await startEmbeddedPostgres({ dataDir, log: pino({ level: 'error' }) });
  process.env[OWNER_URL_VARIABLE] = postgres.ownerUrl;
  Object.assign(globalThis, { testPostgres: postgres });
  // Durability is tested by journeys with their own servers; here it would only cost time.
  for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit'])
    await administer(`alter system set ${setting} = off`);
  await administer('select pg_reload_conf()');
  await administer(`create database ${TEMPLATE}`);
  await migrate(databaseUrl(TEMPLATE));
  await administer(...copyOf(TEMPLATE, TEMPLATE_WITH_READ_MODELS));
  await makeReadModels({
    store: createInMemoryEventStore(),
    databaseUrl: withSettings(databaseUrl(TEMPLATE_WITH_READ_MODELS), { role: ROLES.app }),
    log: pino({ level: 'silent' }),
  });
}
