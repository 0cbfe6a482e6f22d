import pg from 'pg';
import { CheckpointsDamaged } from '../src/audit/checkpoint-store.ts';
import { SealBroken } from '../src/audit/sealer.ts';
import { PositionUnknown } from '../src/audit/stored-log.ts';
import { CommandRejected } from '../src/commands/rejection.ts';
import { BadMasterKey } from '../src/compose/master-keys.ts';
import { BadConfig } from '../src/config.ts';
import { EventStoreUnavailable } from '../src/events/event-store.ts';
import { StorageUnavailable } from '../src/files/storage.ts';
import { MigrationError } from '../src/adapters/postgres/migrate.ts';
import { NoLogin } from '../src/adapters/postgres/prepare-database.ts';
import { argumentsOf } from './arguments.ts';
import { READING_USAGE, Refused, readingCommands, readingOptions } from './audit/reading.ts';
import { SEALING_USAGE, sealingCommands, sealingOptions } from './audit/sealing.ts';

const USAGE = `Usage: npm run --silent audit -- <command> [options]
${READING_USAGE}${SEALING_USAGE}
Works on the log that the settings of the server name, whether the server runs or not.
`;

const commands = { ...readingCommands, ...sealingCommands };

async function run(): Promise<void> {
  const { values, positionals } = argumentsOf(USAGE, { ...readingOptions, ...sealingOptions });
  const [command = '', argument, ...rest] = positionals;
  const work = Object.hasOwn(commands, command) ? commands[command] : undefined;
  if (!work || rest.length > 0) throw new Refused(USAGE);
  await work(values, argument);
}

// A reader such as `head` may close the pipe.
process.stdout.on('error', () => process.exit());

try {
  await run();
} catch (error) {
  const isExpected =
    error instanceof Refused ||
    error instanceof BadConfig ||
    error instanceof BadMasterKey ||
    error instanceof CheckpointsDamaged ||
    error instanceof CommandRejected ||
    error instanceof EventStoreUnavailable ||
    error instanceof MigrationError ||
    error instanceof NoLogin ||
    error instanceof PositionUnknown ||
    error instanceof SealBroken ||
    error instanceof StorageUnavailable ||
    error instanceof pg.DatabaseError ||
    (error instanceof Error && 'code' in error);
  if (!isExpected) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
