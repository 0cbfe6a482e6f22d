import {
  type RebuildStep,
  diffReadModels,
  rebuildReadModels,
  rollbackProjection,
} from '../src/adapters/postgres/read-models/rebuild-projection.ts';
import { readModelStates } from '../src/adapters/postgres/read-models/upkeep.ts';
import { makeReadModels } from '../src/adapters/postgres/read-models/run-projections.ts';
import { readModels } from '../src/projections/read-models.ts';
import { type Print, Misused, Refused, count, program } from './program.ts';
import { showProgress } from './progress.ts';
import { type OpenedDatabase, openLog, withDatabase } from './with-database.ts';

const USAGE = `Usage: npm run projections -- <command>

  status                        how far each read model has come
  rebuild <name>|all [--force]  build it anew beside the live one, compare, switch; --force switches in any case
  diff <name>|all [--limit 20]  build it anew beside the live one, and print the rows that differ: - has the live one, +
                                the new one; code 1 when there are any. Nothing is switched
  rollback <name>               put back the version before the last rebuild

  --json                        prints the result as JSON

Read models: ${readModels.map(({ name }) => name).join(', ')}.
Works on DATABASE_URL, or on the database in DATA_DIR whether the server runs or not.
`;

/** Connects to the read models and the log for the duration of `work`. */
const connected = <T>(work: (connection: Connection) => Promise<T>): Promise<T> =>
  withDatabase({ name: 'projections' }, async (opened) => {
    const { databaseUrl, pool, log } = opened;
    return work({ databaseUrl, pool, log, store: (await openLog(opened)).store });
  });
type Connection = Pick<OpenedDatabase, 'databaseUrl' | 'pool' | 'log'> &
  Pick<Awaited<ReturnType<typeof openLog>>, 'store'>;

async function status({ pool, store }: Connection, print: Print): Promise<void> {
  const { head, readModels: found } = await readModelStates({ pool, store });
  print({ head, readModels: found }, [
    `the log has ${count(head)} events`,
    ...found.map(({ name, version, latestVersion, behind, previousKept, rebuild }) => {
      const isUnderWay = rebuild?.state === 'requested' || rebuild?.state === 'running';
      const kept = `${previousKept ? ', the previous one is kept' : ''}${isUnderWay ? `, a rebuild is ${rebuild.state}` : ''}`;
      const state =
        behind === null
          ? 'not made yet'
          : `version ${version} of ${latestVersion}, ${count(behind)} behind${kept}`;
      return `${name.padEnd(15)} ${state}`;
    }),
  ]);
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

async function rebuild(
  connection: Connection,
  projections: typeof readModels,
  force: boolean,
  print: Print,
): Promise<void> {
  await makeReadModels(connection);
  const rebuilt = await withProgress((onStep) =>
    rebuildReadModels({ ...connection, projections, force, onStep }),
  );
  print(
    { readModels: rebuilt },
    rebuilt.map(({ name, events, seconds, isVerified }) => {
      const compared = isVerified ? 'the same rows as before' : 'not compared with the previous ones';
      return `${name.padEnd(15)} rebuilt from ${count(events)} events in ${seconds.toFixed(2)} s, ${compared}`;
    }),
  );
}

/** Prints the rows in which read models differ from what the log says now, and makes the exit code 1 if any do. */
async function diff(
  connection: Connection,
  projections: typeof readModels,
  mostRows: number,
  print: Print,
): Promise<void> {
  await makeReadModels(connection);
  const compared = await withProgress((onStep) =>
    diffReadModels({ ...connection, projections, mostRows, onStep }),
  );
  const lines = compared.flatMap(({ name, position, differences, isVerified }) => {
    if (!isVerified)
      return [`${name.padEnd(15)} not compared: the live one is of other code, or behind and not followed`];
    if (differences.length === 0) return [`${name.padEnd(15)} the same at position ${position}`];
    return differences.flatMap(({ table, live, next, rows }) => [
      `${name}.${table}: ${count(live)} rows live, ${count(next)} from the log`,
      ...rows.map(({ isLive, row }) => `${isLive ? '-' : '+'} ${row}`),
      ...(rows.length === mostRows ? ['… and perhaps more'] : []),
    ]);
  });
  print({ readModels: compared }, lines);
  if (compared.some(({ isVerified, differences }) => !isVerified || differences.length > 0))
    process.exitCode = 1;
}

async function rollback({ databaseUrl }: Connection, name: string, print: Print): Promise<void> {
  if (!(await rollbackProjection(databaseUrl, name)))
    throw new Refused(`no earlier version of ${name} was kept`);
  print({ name }, `${name} is back at the version before the last rebuild, and catches up with the log`);
}

function rowLimit(given: string): number {
  if (!/^[1-9]\d{0,5}$/.test(given)) throw new Misused('--limit: must be a number from 1 to 999999');
  return Number(given);
}

function named(name: string) {
  const found = readModels.find((projection) => projection.name === name);
  if (!found) throw new Misused(`there is no read model "${name}"`);
  return found;
}

await program(
  USAGE,
  { force: { type: 'boolean', default: false }, limit: { type: 'string', default: '20' } },
  async ({ values, positionals, print }) => {
    const [command, name, ...rest] = positionals;
    if (rest.length > 0) throw new Misused();
    if (command === 'status' && !name) return connected((connection) => status(connection, print));
    if (!name) throw new Misused();
    const asked = () => (name === 'all' ? readModels : [named(name)]);
    if (command === 'rebuild') {
      const projections = asked();
      return connected((connection) => rebuild(connection, projections, values.force, print));
    }
    if (command === 'diff') {
      const [projections, limit] = [asked(), rowLimit(values.limit)];
      return connected((connection) => diff(connection, projections, limit, print));
    }
    if (command === 'rollback') {
      const projection = named(name);
      return connected((connection) => rollback(connection, projection.name, print));
    }
    throw new Misused();
  },
);
