import pg from 'pg';
import { createLog } from '../src/compose/log.ts';
import { BadConfig, readConfig } from '../src/config.ts';
import { createLogger } from '../src/adapters/pino/logger.ts';
import { MigrationError } from '../src/adapters/postgres/migrate.ts';
import { openDatabase } from '../src/adapters/embedded-postgres/open-database.ts';
import { APP_ROLE, createPool } from '../src/adapters/postgres/connection.ts';
import { NoLogin, prepareDatabase } from '../src/adapters/postgres/prepare-database.ts';
import { previousOf } from '../src/adapters/postgres/read-models/read-model-schemas.ts';
import {
  ReadModelsDiffer,
  type RebuildStep,
  rebuildReadModels,
  rollbackProjection,
} from '../src/adapters/postgres/read-models/rebuild-projection.ts';
import { makeReadModels } from '../src/adapters/postgres/read-models/run-projections.ts';
import { readModels } from '../src/projections/read-models.ts';
import { argumentsOf } from './arguments.ts';

const USAGE = `Usage: npm run projections -- <command>

  status                        how far each read model has come
  rebuild <name>|all [--force]  build it anew beside the live one, compare, switch; --force switches in any case
  rollback <name>               put back the version before the last rebuild

Read models: ${readModels.map(({ name }) => name).join(', ')}.
Works on DATABASE_URL, or on the database in DATA_DIR whether the server runs or not.
`;

/** A mistake of the operator, with a message for them. */
class Refused extends Error {}

const say = (line: string) => void process.stdout.write(`${line}\n`);
const count = (n: number) => Math.round(n).toLocaleString('en');

/** The resources of the commands, and how to close them. */
async function connect() {
  const config = readConfig(process.env);
  const log = createLogger({ level: 'error' });
  const database = await openDatabase({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log });
  const databaseUrl = await prepareDatabase(database.ownerUrl, config.databaseOwnerUrl);
  const pool = createPool({ url: databaseUrl, role: APP_ROLE, max: 4, applicationName: 'projections', log });
  const { store } = await createLog(config, log, { databaseUrl, pool });
  const close = async () => {
    await store.close();
    await pool.end();
    await database.close();
  };
  return { databaseUrl, pool, store, log, close };
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

const PROGRESS_MS = 500;

async function rebuild(connection: Connection, asked: string, force: boolean): Promise<void> {
  const projections = asked === 'all' ? readModels : [named(asked)];
  await makeReadModels(connection);
  let saidAt = performance.now();
  const onStep = ({ position, head, etaMs }: RebuildStep) => {
    if (performance.now() - saidAt < PROGRESS_MS) return;
    saidAt = performance.now();
    const share = `${count(position)} of ${count(head)}`;
    say(`reading the log: ${share}, ${(etaMs / 1000).toFixed(1)} s to go`);
  };
  for (const { name, events, seconds, isVerified } of await rebuildReadModels({
    ...connection,
    projections,
    force,
    onStep,
  })) {
    const compared = isVerified ? 'the same rows as before' : 'not compared with the previous ones';
    say(`${name.padEnd(15)} rebuilt from ${count(events)} events in ${seconds.toFixed(2)} s, ${compared}`);
  }
}

async function rollback({ databaseUrl }: Connection, asked: string): Promise<void> {
  const { name } = named(asked);
  if (!(await rollbackProjection(databaseUrl, name)))
    throw new Refused(`no earlier version of ${name} was kept`);
  say(`${name} is back at the version before the last rebuild, and catches up with the log`);
}

function named(name: string) {
  const found = readModels.find((projection) => projection.name === name);
  if (!found) throw new Refused(`there is no read model "${name}"`);
  return found;
}

async function run(): Promise<void> {
  const { values, positionals } = argumentsOf(USAGE, { force: { type: 'boolean', default: false } });
  const [command, name] = positionals;
  const work =
    command === 'status'
      ? status
      : command === 'rebuild' && name
        ? (connection: Connection) => rebuild(connection, name, values.force)
        : command === 'rollback' && name
          ? (connection: Connection) => rollback(connection, name)
          : undefined;
  if (!work) throw new Refused(USAGE);
  const connection = await connect();
  try {
    await work(connection);
  } finally {
    await connection.close();
  }
}

try {
  await run();
} catch (error) {
  const isExpected =
    error instanceof Refused ||
    error instanceof BadConfig ||
    error instanceof MigrationError ||
    error instanceof NoLogin ||
    error instanceof ReadModelsDiffer ||
    error instanceof pg.DatabaseError ||
    (error instanceof TypeError && 'code' in error);
  if (!isExpected) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
