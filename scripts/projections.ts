import pg from 'pg';
import type { Logger } from 'pino';
import { createLog } from '../src/compose/log.ts';
import { BadMasterKey } from '../src/compose/master-keys.ts';
import { BadConfig, readConfig } from '../src/config.ts';
import { type Closers, closers } from '../src/kit/closers.ts';
import { createLogger } from '../src/adapters/pino/logger.ts';
import { MigrationError } from '../src/adapters/postgres/migrate.ts';
import { openDatabase } from '../src/adapters/embedded-postgres/open-database.ts';
import { APP_ROLE, createPool } from '../src/adapters/postgres/connection.ts';
import { NoLogin, prepareDatabase } from '../src/adapters/postgres/prepare-database.ts';
import { previousOf } from '../src/adapters/postgres/read-models/read-model-schemas.ts';
import {
  ReadModelsDiffer,
  type RebuildStep,
  diffReadModels,
  rebuildReadModels,
  rollbackProjection,
} from '../src/adapters/postgres/read-models/rebuild-projection.ts';
import { makeReadModels } from '../src/adapters/postgres/read-models/run-projections.ts';
import { readModels } from '../src/projections/read-models.ts';
import { argumentsOf } from './arguments.ts';
import { showProgress } from './progress.ts';

const USAGE = `Usage: npm run projections -- <command>

  status                        how far each read model has come
  rebuild <name>|all [--force]  build it anew beside the live one, compare, switch; --force switches in any case
  diff <name>|all [--limit 20]  build it anew beside the live one, and print the rows that differ: - has the live one, +
                                the new one; code 1 when there are any. Nothing is switched
  rollback <name>               put back the version before the last rebuild

Read models: ${readModels.map(({ name }) => name).join(', ')}.
Works on DATABASE_URL, or on the database in DATA_DIR whether the server runs or not.
`;

/** A mistake of the operator, with a message for them. */
class Refused extends Error {}

const say = (line: string) => void process.stdout.write(`${line}\n`);
const count = (n: number) => Math.round(n).toLocaleString('en');

/** Opens the resources of the commands. */
async function connect(log: Logger, open: Closers) {
  const config = readConfig(process.env);
  const database = await openDatabase({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log });
  open.add('database', () => database.close());
  const databaseUrl = await prepareDatabase(database.ownerUrl, config.databaseOwnerUrl);
  const pool = createPool({ url: databaseUrl, role: APP_ROLE, max: 4, applicationName: 'projections', log });
  open.add('pool', () => pool.end());
  const { store } = await createLog(config, log, { databaseUrl, pool });
  open.add('log', () => store.close());
  return { databaseUrl, pool, store, log };
}
type Connection = Awaited<ReturnType<typeof connect>>;

async function status({ pool, store }: Connection): Promise<void> {
  const head = await store.head();
  const { rows } = await pool.query<{ name: string; position: number; version: number }>(
    'select name, position, version from checkpoints',
  );
  const checkpoints = new Map(rows.map((row) => [row.name, row]));
  say(`the log has ${count(head)} events`);
  for (const { name, version } of readModels) {
    const found = checkpoints.get(name);
    const lag = found && count(head - found.position);
    const kept = checkpoints.has(previousOf(name)) ? ', the previous one is kept' : '';
    say(
      `${name.padEnd(15)} ${found ? `version ${found.version} of ${version}, ${lag} behind${kept}` : 'not made yet'}`,
    );
  }
}

/** Runs work that reads the log, and shows how far it has come. */
async function withProgress<T>(work: (onStep: (step: RebuildStep) => void) => Promise<T>): Promise<T> {
  const progress = showProgress('reading the log');
  try {
    return await work(({ position, head }) => progress.reach(position, head));
  } finally {
    progress.stop();
  }
}

async function rebuild(connection: Connection, asked: string, force: boolean): Promise<void> {
  const projections = asked === 'all' ? readModels : [named(asked)];
  await makeReadModels(connection);
  const rebuilt = await withProgress((onStep) =>
    rebuildReadModels({ ...connection, projections, force, onStep }),
  );
  for (const { name, events, seconds, isVerified } of rebuilt) {
    const compared = isVerified ? 'the same rows as before' : 'not compared with the previous ones';
    say(`${name.padEnd(15)} rebuilt from ${count(events)} events in ${seconds.toFixed(2)} s, ${compared}`);
  }
}

/** Prints the rows in which read models differ from what the log says now. */
async function diff(connection: Connection, asked: string, mostRows: number): Promise<void> {
  const projections = asked === 'all' ? readModels : [named(asked)];
  await makeReadModels(connection);
  const compared = await withProgress((onStep) =>
    diffReadModels({ ...connection, projections, mostRows, onStep }),
  );
  for (const { name, position, differences, isVerified } of compared) {
    if (!isVerified)
      say(`${name.padEnd(15)} not compared: the live one is of other code, or behind and not followed`);
    else if (differences.length === 0) say(`${name.padEnd(15)} the same at position ${position}`);
    for (const { table, live, next, rows } of differences) {
      say(`${name}.${table}: ${count(live)} rows live, ${count(next)} from the log`);
      for (const { isLive, row } of rows) say(`${isLive ? '-' : '+'} ${row}`);
      if (rows.length === mostRows) say('… and perhaps more');
    }
    if (!isVerified || differences.length > 0) process.exitCode = 1;
  }
}

async function rollback({ databaseUrl }: Connection, asked: string): Promise<void> {
  const { name } = named(asked);
  if (!(await rollbackProjection(databaseUrl, name)))
    throw new Refused(`no earlier version of ${name} was kept`);
  say(`${name} is back at the version before the last rebuild, and catches up with the log`);
}

function rowLimit(given: string): number {
  if (!/^[1-9]\d{0,5}$/.test(given)) throw new Refused('--limit: must be a number from 1 to 999999');
  return Number(given);
}

function named(name: string) {
  const found = readModels.find((projection) => projection.name === name);
  if (!found) throw new Refused(`there is no read model "${name}"`);
  return found;
}

async function run(): Promise<void> {
  const { values, positionals } = argumentsOf(USAGE, {
    force: { type: 'boolean', default: false },
    limit: { type: 'string', default: '20' },
  });
  const [command, name] = positionals;
  const work =
    command === 'status'
      ? status
      : command === 'rebuild' && name
        ? (connection: Connection) => rebuild(connection, name, values.force)
        : command === 'diff' && name
          ? (connection: Connection) => diff(connection, name, rowLimit(values.limit))
          : command === 'rollback' && name
            ? (connection: Connection) => rollback(connection, name)
            : undefined;
  if (!work) throw new Refused(USAGE);
  const log = createLogger({ level: 'error' });
  const open = closers(log);
  try {
    await work(await connect(log, open));
  } finally {
    await open.closeAll();
  }
}

try {
  await run();
} catch (error) {
  const isExpected =
    error instanceof Refused ||
    error instanceof BadConfig ||
    error instanceof BadMasterKey ||
    error instanceof MigrationError ||
    error instanceof NoLogin ||
    error instanceof ReadModelsDiffer ||
    error instanceof pg.DatabaseError ||
    (error instanceof TypeError && 'code' in error);
  if (!isExpected) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
