import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { BadConfig, readConfig } from '../src/config.ts';
import type { Outbox } from '../src/notifications/outbox.ts';
import { previews } from '../src/notifications/templates/previews.ts';
import { createLogger } from '../src/adapters/pino/logger.ts';
import { openDatabase } from '../src/adapters/embedded-postgres/open-database.ts';
import { createOutbox } from '../src/adapters/postgres/notifications/outbox.ts';
import { APP_ROLE, createPool } from '../src/adapters/postgres/connection.ts';
import { prepareDatabase } from '../src/adapters/postgres/prepare-database.ts';
import { argumentsOf } from './arguments.ts';

const USAGE = `Usage: npm run notifications -- <command>

  list-parked           the batches that could not be sent, with the reason of each
  replay <id>... | --all
                        puts parked batches back, to be sent as soon as a server runs
  preview [<folder>]    writes an example of each mail and push message to files, by default in a new folder

list-parked and replay work on DATABASE_URL, or on the database in DATA_DIR whether the server runs or not.
`;

/** A mistake of the operator, with a message for them. */
class Refused extends Error {}

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function withOutbox(use: (outbox: Outbox) => Promise<void>): Promise<void> {
  const config = readConfig(process.env);
  const log = createLogger({ level: 'error' });
  const database = await openDatabase({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log });
  try {
    const url = await prepareDatabase(database.ownerUrl, config.databaseOwnerUrl);
    const applicationName = 'notifications';
    const pool = createPool({ url, role: APP_ROLE, max: 1, applicationName, log });
    try {
      await use(createOutbox({ pool }));
    } finally {
      await pool.end();
    }
  } finally {
    await database.close();
  }
}

async function listParked(outbox: Outbox): Promise<void> {
  for (const { batchId, parkedAt, channel, recipientId, notifications, reason } of await outbox.parked()) {
    // Text from another server may contain terminal control sequences.
    const shown = reason.replaceAll(/\p{Cc}/gu, ' ');
    say(`${batchId}  ${parkedAt}  ${channel.padEnd(5)}  ${recipientId}  ${notifications}  ${shown}`);
  }
}

async function replay(outbox: Outbox, batchIds: string[] | undefined): Promise<void> {
  const replayed = await outbox.replay(batchIds);
  say(batchIds ? `put back ${replayed} of ${batchIds.length} batches` : `put back ${replayed} batches`);
  if (batchIds && replayed < batchIds.length) throw new Refused('the others are not parked');
}

async function writePreviews(given: string | undefined): Promise<void> {
  const folder =
    given === undefined ? await mkdtemp(join(tmpdir(), 'notification-previews-')) : resolve(given);
  await mkdir(folder, { recursive: true });
  for (const { name, content } of previews()) await writeFile(join(folder, name), content);
  say(folder);
}

/** Returns the distinct ids of the arguments. */
function batchIdsOf(values: string[]): string[] {
  const wrong = values.find((value) => !z.uuid().safeParse(value).success);
  if (wrong !== undefined) throw new Refused(`${wrong}: is not the id of a batch`);
  return [...new Set(values.map((value) => value.toLowerCase()))];
}

async function run(): Promise<void> {
  const { values, positionals } = argumentsOf(USAGE, { all: { type: 'boolean' } });
  const [command, ...rest] = positionals;
  const isAll = values.all ?? false;
  if (command === 'list-parked' && rest.length === 0 && !isAll) await withOutbox(listParked);
  else if (command === 'replay' && isAll !== rest.length > 0) {
    const batchIds = isAll ? undefined : batchIdsOf(rest);
    await withOutbox((outbox) => replay(outbox, batchIds));
  } else if (command === 'preview' && rest.length <= 1 && !isAll) await writePreviews(rest[0]);
  else throw new Refused(USAGE);
}

try {
  await run();
} catch (error) {
  const lines =
    error instanceof BadConfig ? error.lines : [error instanceof Error ? error.message : String(error)];
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exitCode = 1;
}
