import type pg from 'pg';
import type { Logger } from 'pino';
import type { EventStore, Position } from '../../../events/event-store.ts';
import { closers } from '../../../kit/closers.ts';
import type { Projection } from '../../../projections/projection.ts';
import { readModels } from '../../../projections/read-models.ts';
import { type Difference, compareWithLive, levelWithLive } from './compare-read-models.ts';
import { type Filling, type Loaded, loadReadModel, loadReadModels } from './load-read-model.ts';
import { Client } from '../client.ts';
import { columnTypes, withSession } from '../connection.ts';
import { LOCK_SPACE, type RebuildRecords, recordRebuilds } from './rebuild-records.ts';
import { NO_WAIT, ProjectingConnection } from './projections.ts';
import { completeNext, createTables, dropVersion, nextOf } from './read-model-schemas.ts';
import { inTransaction } from '../transactions.ts';
import { switchToNext, switchToPrevious } from './switch-read-model.ts';

export interface RebuildStep {
  position: Position;
  head: Position;
}

export interface RebuildOptions {
  store: EventStore;
  databaseUrl: string;
  /** Default: all read models. */
  projections?: readonly Projection[];
  log: Logger;
  /** Switch even when the rebuilt rows differ from the live ones. */
  force?: boolean;
  onStep?: (step: RebuildStep) => void;
  /** Ends it at once: what was built so far is removed by the next one. */
  signal?: AbortSignal;
}

export interface Rebuilt {
  name: string;
  position: Position;
  /** Number of events that it handled. */
  events: number;
  seconds: number;
  /** True if the rows were compared with those of a live version of the same code. */
  isVerified: boolean;
}

/** The rebuilt rows differ from those of the live version. Both stay as they are. */
export class ReadModelsDiffer extends Error {
  override readonly name = 'ReadModelsDiffer';
  readonly differences: Difference[];

  constructor(projection: string, differences: Difference[]) {
    const tables = differences.map(({ table, live, next }) => `${table}: ${live} live, ${next} rebuilt`);
    super(
      `the rebuilt ${projection} differs from the live one (${tables.join('; ')}); it stays in ${nextOf(projection)}`,
    );
    this.differences = differences;
  }
}

/** A read model on its way, and the connection that holds its lock and makes its tables; those of a lane share it. */
interface Owned {
  projection: Projection;
  owner: pg.Client;
}
interface Rebuilding extends Owned {
  /** Writes its rows. */
  writer: ProjectingConnection;
}

const byName = (a: Owned, b: Owned) => (a.projection.name < b.projection.name ? -1 : 1);

/** Does the work for each read model, in each lane for one after the other. */
async function inLanes(
  lanes: readonly (readonly Owned[])[],
  work: (owned: Owned, index: number) => Promise<void>,
): Promise<void> {
  const all = lanes.flat();
  const run = async (lane: readonly Owned[]) => {
    for (const owned of lane) await work(owned, all.indexOf(owned));
  };
  await Promise.all(lanes.map(run));
}

/**
 * Builds read models from the whole log beside the live ones, with one reading of the log, compares each with the
 * live one, and replaces that in one transaction; the old one is kept. The live ones keep working meanwhile, in any
 * process. A read model that fails leaves the others alone: throws the first error, such as `ReadModelsDiffer`, once
 * all have ended.
 */
export async function rebuildReadModels(
  options: RebuildOptions & {
    /** The act that has asked for it. It is done only while it is asked for and nobody else is at it. */
    actId?: string;
  },
): Promise<Rebuilt[]> {
  const { store, databaseUrl, projections = readModels, log, force = false, actId } = options;
  const names = projections.map(({ name }) => name);
  const records = await recordRebuilds({ databaseUrl, names, force, actId, log });
  const recorded = { ...options, records, waits: actId === undefined };
  try {
    return await buildBeside(recorded, async ({ projection, owner, load, seconds, ...built }) => {
      const { name } = projection;
      const { differences, isVerified } = built;
      if (differences.length > 0) {
        const error = new ReadModelsDiffer(name, differences);
        log.error({ projection: name, differences }, error.message);
        if (!force) throw error;
      }
      // Most of what has happened meanwhile, so that the live one waits for little.
      const caughtUp = await loadReadModel({ ...load, store, after: built.position });
      const switched = await switchToNext(
        owner,
        { ...load, store, after: caughtUp.position },
        ({ position }) => records.done(owner, name, position),
      );
      const rebuilt: Rebuilt = {
        name,
        position: switched.position,
        events: built.events + caughtUp.events + switched.events,
        seconds: seconds(),
        isVerified,
      };
      log.info(rebuilt, 'rebuilt a read model');
      return rebuilt;
    });
  } finally {
    await records.close();
  }
}

/** The result of comparing a rebuilt version with the live one at a position. */
interface Compared {
  position: Position;
  differences: Difference[];
  /** False when there was nothing to compare with: no live version, one of other code, or one that lags. */
  isVerified: boolean;
}

export interface ReadModelDiff extends Compared {
  name: string;
}

/**
 * Builds read models beside the live ones, as a rebuild does, and resolves with the rows that differ, at most
 * `mostRows` of each table. The live ones stay, and what was built is removed.
 */
export const diffReadModels = (
  options: Omit<RebuildOptions, 'force'> & { mostRows: number },
): Promise<ReadModelDiff[]> =>
  buildBeside(options, async ({ projection: { name }, owner, position, differences, isVerified }) => {
    await dropVersion(owner, nextOf(name));
    return { name, position, differences, isVerified };
  });

/** A read model that was built beside the live one, at the same position if that could be reached. */
interface Built extends Rebuilding, Compared {
  load: Filling;
  events: number;
  /** Returns the time since the start. */
  seconds: () => number;
}

/** Builds read models from one reading of the log, compares each with the live one, and concludes with it. */
async function buildBeside<T>(
  options: RebuildOptions & {
    mostRows?: number;
    records?: RebuildRecords;
    /** False to build nothing where somebody else is at it. */
    waits?: boolean;
  },
  conclude: (built: Built) => Promise<T>,
): Promise<T[]> {
  const { store, databaseUrl, projections = readModels, log, mostRows = 0 } = options;
  const { onStep, signal, records, waits = true } = options;
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1_000;
  const opened = closers(log);
  try {
    // Two lanes: the largest comes first and takes most of the time, while the others take turns.
    const lanes: Owned[][] = [];
    for (const lane of [projections.slice(0, 1), projections.slice(1)])
      if (lane.length > 0) lanes.push(await openLane(lane));
    // One after the other in one order, so that two rebuilds do not wait for each other.
    for (const { projection, owner } of lanes.flat().toSorted(byName))
      if (!(await lock(owner, projection.name, { waits }))) return [];
    if (records && !(await records.begin())) return [];
    const [rebuildings] = await Promise.all([
      Promise.all(lanes.flat().map(open)),
      inLanes(lanes, ({ projection, owner }) => prepareNext(owner, nextOf(projection.name), projection)),
    ]);
    const loads = await loadReadModels({ store, after: 0 }, rebuildings.map(toFilling), (position, head) => {
      signal?.throwIfAborted();
      onStep?.({ position, head });
      records?.reach({ position, head });
    });
    const outcomes: PromiseSettledResult<T>[] = [];
    await inLanes(lanes, async ({ projection: { name } }, index) => {
      const [outcome] = await Promise.allSettled([finish(rebuildings[index]!, loads[index]!)]);
      outcomes[index] = outcome;
      if (outcome.status === 'rejected' && !signal?.aborted) records?.failed(name, outcome.reason);
    });
    return outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    });
  } catch (error) {
    // Those that are done stay so. One that was ended here goes on elsewhere.
    if (!signal?.aborted) for (const { name } of projections) records?.failed(name, error);
    throw error;
  } finally {
    await opened.closeAll();
  }

  async function openLane(lane: readonly Projection[]): Promise<Owned[]> {
    const names = lane.map(({ name }) => name).join();
    const owner = await openOwner(databaseUrl, names);
    opened.add(`owner of ${names}`, () => owner.end());
    endWith(signal, owner);
    return lane.map((projection) => ({ projection, owner }));
  }

  async function open({ projection, owner }: Owned): Promise<Rebuilding> {
    const { name } = projection;
    const writer = await ProjectingConnection.open({
      url: databaseUrl,
      schema: nextOf(name),
      statementTimeoutMs: 0,
    });
    opened.add(`writer of ${name}`, () => writer.close());
    endWith(signal, writer.client);
    return { projection, owner, writer };
  }

  async function finish(rebuilding: Rebuilding, filled: PromiseSettledResult<Loaded>): Promise<T> {
    if (filled.status === 'rejected') throw filled.reason;
    const loaded = filled.value;
    const { projection, owner, writer } = rebuilding;
    const load = toFilling(rebuilding);
    const caughtUp = await loadReadModel({ ...load, store, after: loaded.position });
    const { isLevel, ...leveled } = await levelWithLive(owner, { ...load, store, after: caughtUp.position });
    // Both only read the rows, and nothing else may happen on the connections before both have ended.
    const completing = completeNext(owner, projection);
    const comparing = isLevel ? compareWithLive(writer.client, projection.name, mostRows) : [];
    await Promise.allSettled([completing, comparing]);
    await completing;
    const differences = await comparing;
    return conclude({
      ...rebuilding,
      load,
      position: leveled.position,
      differences,
      isVerified: isLevel,
      events: loaded.events + caughtUp.events + leveled.events,
      seconds,
    });
  }
}

const toFilling = ({ projection, writer }: Rebuilding): Filling => ({
  projection,
  writer,
  checkpoint: nextOf(projection.name),
});

/** Ends a connection, and what it is at, when the signal aborts. */
function endWith(signal: AbortSignal | undefined, client: pg.Client): void {
  const end = () => void client.end().catch(() => {});
  signal?.throwIfAborted();
  signal?.addEventListener('abort', end, { once: true });
}

/** Restores the version before the last rebuild. Resolves with false when none was kept. */
export async function rollbackProjection(databaseUrl: string, name: string): Promise<boolean> {
  const owner = await connectOwner(databaseUrl, name);
  try {
    return await switchToPrevious(owner, name);
  } finally {
    await owner.end();
  }
}

/**
 * Restores the version before the last rebuild for an act of an operator, once: a repetition does not swap the two again.
 * Resolves with the reason why it cannot be done now.
 */
export async function rollBackOnce(
  databaseUrl: string,
  { name, actId }: { name: string; actId: string },
): Promise<'REBUILD_RUNNING' | 'NOTHING_KEPT' | undefined> {
  const owner = await connectOwner(databaseUrl, name, { waits: false });
  if (!owner) return 'REBUILD_RUNNING';
  try {
    const { rowCount } = await owner.query('select from public.read_model_rollbacks where act_id = $1', [
      actId,
    ]);
    if (rowCount === 1) return undefined;
    const recorded = () =>
      owner.query('insert into public.read_model_rollbacks (act_id, name) values ($1, $2)', [actId, name]);
    return (await switchToPrevious(owner, name, recorded)) ? undefined : 'NOTHING_KEPT';
  } finally {
    await owner.end();
  }
}

/** Creates the empty tables of a read model in a schema of their own, with a checkpoint before the first event. */
export const prepareNext = (owner: pg.Client, schema: string, projection: Projection) =>
  inTransaction(owner, async () => {
    await owner.query(`drop schema if exists ${schema} cascade`);
    await createTables(owner, schema, projection);
    await owner.query(
      `insert into public.checkpoints (name, position, version) values ($1, 0, $2)
       on conflict (name) do update set position = 0, version = excluded.version`,
      [schema, projection.version],
    );
  });

/**
 * Connects as the application's role and locks a read model. Resolves with undefined if the lock is taken and `waits` is
 * false.
 */
export async function connectOwner(databaseUrl: string, name: string): Promise<pg.Client>;
export async function connectOwner(
  databaseUrl: string,
  name: string,
  options: { waits: boolean },
): Promise<pg.Client | undefined>;
export async function connectOwner(
  databaseUrl: string,
  name: string,
  { waits } = { waits: true },
): Promise<pg.Client | undefined> {
  const owner = await openOwner(databaseUrl, name);
  if (await lock(owner, name, { waits })) return owner;
  await owner.end();
  return undefined;
}

async function openOwner(databaseUrl: string, names: string): Promise<pg.Client> {
  const owner = new Client({
    connectionString: withSession(databaseUrl, {
      statementTimeoutMs: 0,
      settings: {
        ...NO_WAIT,
        // A small sample is enough until autovacuum takes its own, because the plans are by key.
        default_statistics_target: '10',
        idle_in_transaction_session_timeout: '60000',
        maintenance_work_mem: '256MB',
        // The leader and one worker: on two processors more of them are slower.
        max_parallel_maintenance_workers: '1',
      },
    }),
    application_name: `rebuild ${names}`,
    types: columnTypes,
  });
  owner.on('error', () => {});
  await owner.connect();
  return owner;
}

/**
 * Takes the lock that allows one rebuild or rollback of a read model at a time. It ends with the connection. Resolves
 * with false if it is taken and `waits` is false.
 */
async function lock(owner: pg.Client, name: string, { waits }: { waits: boolean }): Promise<boolean> {
  const key = [LOCK_SPACE, name];
  if (waits) {
    await owner.query('select pg_advisory_lock($1, hashtext($2))', key);
    return true;
  }
  const { rows } = await owner.query<{ isMine: boolean }>(
    'select pg_try_advisory_lock($1, hashtext($2)) as "isMine"',
    key,
  );
  return rows[0]!.isMine;
}
