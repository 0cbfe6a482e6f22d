import type pg from 'pg';
import type { Logger } from 'pino';
import type { EventStore, Position } from '../../../events/event-store.ts';
import { closers } from '../../../kit/closers.ts';
import type { Projection } from '../../../projections/projection.ts';
import { readModels } from '../../../projections/read-models.ts';
import { type Compared, type Difference, compareWithLive } from './compare-read-models.ts';
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

/** A read model on its way, and the two connections that make it. */
interface Rebuilding {
  projection: Projection;
  owner: pg.Client;
  writer: ProjectingConnection;
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
    return await buildBeside(recorded, async ({ projection, owner, load, compared, events, seconds }) => {
      const { name } = projection;
      if (compared.differences.length > 0) {
        const error = new ReadModelsDiffer(name, compared.differences);
        log.error({ projection: name, differences: compared.differences }, error.message);
        if (!force) throw error;
      }
      const switched = await switchToNext(
        owner,
        { ...load, store, after: compared.position },
        ({ position }) => records.done(owner, name, position),
      );
      const rebuilt: Rebuilt = {
        name,
        position: switched.position,
        events: events + switched.events,
        seconds: seconds(),
        isVerified: compared.isVerified,
      };
      log.info(rebuilt, 'rebuilt a read model');
      return rebuilt;
    });
  } finally {
    await records.close();
  }
}

export interface ReadModelDiff extends Pick<Compared, 'position' | 'differences' | 'isVerified'> {
  name: string;
}

/**
 * Builds read models beside the live ones, as a rebuild does, and resolves with the rows that differ, at most
 * `mostRows` of each table. The live ones stay, and what was built is removed.
 */
export const diffReadModels = (
  options: Omit<RebuildOptions, 'force'> & { mostRows: number },
): Promise<ReadModelDiff[]> =>
  buildBeside(options, async ({ projection: { name }, owner, compared }) => {
    await dropVersion(owner, nextOf(name));
    const { position, differences, isVerified } = compared;
    return { name, position, differences, isVerified };
  });

/** A read model that was built beside the live one, at the same position if that could be reached. */
interface Built extends Rebuilding {
  load: Filling;
  compared: Compared;
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
    const owners = new Map<string, pg.Client>();
    // One after the other in one order, so that two rebuilds do not wait for each other.
    for (const name of projections.map((each) => each.name).toSorted()) {
      const owner = await connectOwner(databaseUrl, name, { waits });
      if (!owner) return [];
      opened.add(`owner of ${name}`, () => owner.end());
      endWith(signal, owner);
      owners.set(name, owner);
    }
    if (records && !(await records.begin())) return [];
    const rebuildings = await Promise.all(
      projections.map((projection) => open(projection, owners.get(projection.name)!)),
    );
    const loads = await loadReadModels({ store, after: 0 }, rebuildings.map(toFilling), (position, head) => {
      signal?.throwIfAborted();
      onStep?.({ position, head });
      records?.reach({ position, head });
    });
    const outcomes: PromiseSettledResult<T>[] = [];
    const waiting = rebuildings.entries();
    const takeFromQueue = async () => {
      for (const [index, rebuilding] of waiting) {
        const [outcome] = await Promise.allSettled([finish(rebuilding, loads[index]!)]);
        outcomes[index] = outcome;
        if (outcome.status === 'rejected' && !signal?.aborted)
          records?.failed(rebuilding.projection.name, outcome.reason);
      }
    };
    // Two at a time: the largest comes first and takes most of the time, while the others take turns.
    await Promise.all([takeFromQueue(), takeFromQueue()]);
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

  async function open(projection: Projection, owner: pg.Client): Promise<Rebuilding> {
    const { name } = projection;
    await prepareNext(owner, nextOf(name), projection);
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
    const { projection, owner } = rebuilding;
    const load = { store, ...toFilling(rebuilding) };
    await completeNext(owner, projection);
    const caughtUp = await loadReadModel({ ...load, after: loaded.position });
    const compared = await compareWithLive({
      owner,
      databaseUrl,
      load: { ...load, after: caughtUp.position },
      mostRows,
    });
    const events = loaded.events + caughtUp.events + compared.events;
    return conclude({ ...rebuilding, load: toFilling(rebuilding), compared, events, seconds });
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
 * Connects as the application's role. The lock allows one rebuild or rollback of a read model at a time, and
 * ends with the connection. Resolves with undefined where somebody has it and it is not to be waited for.
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
    application_name: `rebuild ${name}`,
    types: columnTypes,
  });
  owner.on('error', () => {});
  await owner.connect();
  if (waits) {
    await owner.query('select pg_advisory_lock($1, hashtext($2))', [LOCK_SPACE, name]);
    return owner;
  }
  const { rows } = await owner.query<{ isMine: boolean }>(
    'select pg_try_advisory_lock($1, hashtext($2)) as "isMine"',
    [LOCK_SPACE, name],
  );
  if (rows[0]!.isMine) return owner;
  await owner.end();
  return undefined;
}
