import type pg from 'pg';
import type { Logger } from 'pino';
import type { EventStore, Position } from '../../../events/event-store.ts';
import type { Projection } from '../../../projections/projection.ts';
import { readModels } from '../../../projections/read-models.ts';
import { type Difference, compareWithLive } from './compare-read-models.ts';
import { loadReadModel } from './load-read-model.ts';
import { Client } from '../client.ts';
import { APP_ROLE, columnTypes, withSession } from '../connection.ts';
import { NO_WAIT, ProjectingConnection } from './projections.ts';
import { createIndexes, createTables, nextOf, tablesOf } from './read-model-schemas.ts';
import { inTransaction } from '../transactions.ts';
import { switchToNext, switchToPrevious } from './switch-read-model.ts';

/** The first half of the advisory locks of rebuilds. The second is the read model's name. */
const LOCK_SPACE = 723_317;

export interface RebuildStep {
  name: string;
  position: Position;
  head: Position;
  eventsPerSecond: number;
  /** Time left to load, in milliseconds, at the pace so far. */
  etaMs: number;
}

export interface RebuildOptions {
  store: EventStore;
  databaseUrl: string;
  projection: Projection;
  log: Logger;
  /** Switch even when the rebuilt rows differ from the live ones. */
  force?: boolean;
  onStep?: (step: RebuildStep) => void;
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

/**
 * Builds a read model from the whole log beside the live one, compares the two, and replaces the live one in
 * one transaction; the old one is kept. The live one keeps working meanwhile, in any process. Throws
 * `ReadModelsDiffer`.
 */
export async function rebuildProjection(options: RebuildOptions): Promise<Rebuilt> {
  const { store, databaseUrl, projection, log, force = false, onStep } = options;
  const { name } = projection;
  const next = nextOf(name);
  const started = performance.now();
  const owner = await connectOwner(databaseUrl, name);
  try {
    await prepareNext(owner, next, projection);
    const writer = await ProjectingConnection.open({
      url: databaseUrl,
      role: APP_ROLE,
      schema: next,
      statementTimeoutMs: 0,
    });
    try {
      const load = { store, projection, writer, checkpoint: next };
      const loaded = await loadReadModel({
        ...load,
        after: 0,
        onStep: ({ position, events }, head) => {
          const elapsed = performance.now() - started;
          const etaMs = (elapsed * (head - position)) / Math.max(position, 1);
          onStep?.({ name, position, head, eventsPerSecond: (events / elapsed) * 1000, etaMs });
        },
      });
      await inTransaction(owner, () => createIndexes(owner, next, projection));
      const tables = await tablesOf(owner, next);
      await owner.query(`analyze ${tables.map((table) => `${next}.${table}`).join()}`);
      const caughtUp = await loadReadModel({ ...load, after: loaded.position });
      const compared = await compareWithLive({
        owner,
        databaseUrl,
        load: { ...load, after: caughtUp.position },
      });
      if (compared.differences.length > 0) {
        const error = new ReadModelsDiffer(name, compared.differences);
        log.error({ projection: name, differences: compared.differences }, error.message);
        if (!force) throw error;
      }
      const switched = await switchToNext(owner, { ...load, after: compared.position });
      const rebuilt: Rebuilt = {
        name,
        position: switched.position,
        events: loaded.events + caughtUp.events + compared.events + switched.events,
        seconds: (performance.now() - started) / 1000,
        isVerified: compared.isVerified,
      };
      log.info(rebuilt, 'rebuilt a read model');
      return rebuilt;
    } finally {
      await writer.close();
    }
  } finally {
    await owner.end();
  }
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
 * Rebuilds all of them, two at a time: the largest comes first and takes most of the time, while the others
 * take turns. Throws the first error once all have ended.
 */
export async function rebuildAll(
  options: Omit<RebuildOptions, 'projection'> & { projections?: readonly Projection[] },
): Promise<Rebuilt[]> {
  const { projections = readModels, ...each } = options;
  const outcomes: PromiseSettledResult<Rebuilt>[] = [];
  const waiting = projections.entries();
  const takeFromQueue = async () => {
    for (const [index, projection] of waiting)
      [outcomes[index]] = await Promise.allSettled([rebuildProjection({ ...each, projection })]);
  };
  await Promise.all([takeFromQueue(), takeFromQueue()]);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

const prepareNext = (owner: pg.Client, schema: string, projection: Projection) =>
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
 * ends with the connection.
 */
async function connectOwner(databaseUrl: string, name: string): Promise<pg.Client> {
  const owner = new Client({
    connectionString: withSession(databaseUrl, {
      role: APP_ROLE,
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
  await owner.query('select pg_advisory_lock($1, hashtext($2))', [LOCK_SPACE, name]);
  return owner;
}
