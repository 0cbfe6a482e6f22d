import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { EventStore, Position } from '../../../events/event-store.ts';
import type { Tracing } from '../../../kit/tracing.ts';
import { ProjectionProgress } from '../../../projections/progress.ts';
import type { Progress, Projection } from '../../../projections/projection.ts';
import { readModels } from '../../../projections/read-models.ts';
import { type ProjectionHealth, followLog } from './follow-log.ts';
import { Client } from '../client.ts';
import { columnTypes, withSession } from '../connection.ts';
import { ProjectingConnection } from './projections.ts';
import { createIndexes, createTables } from './read-model-schemas.ts';
import { inTransaction } from '../transactions.ts';
import { rebuildReadModels } from './rebuild-projection.ts';

export interface StartProjections {
  store: EventStore;
  databaseUrl: string;
  log: Logger;
  /** Default: all read models. */
  projections?: readonly Projection[];
  /** Receives the progress of the projections; by default a new one. */
  progress?: ProjectionProgress;
  tracing?: Tracing;
  /** See `followLog`. */
  lingerMs?: number | undefined;
  /**
   * Least time from the start of a batch of many events to that of the next, unless a caller waits for the projection:
   * the more messages of a conversation go together, the less each costs. Default 0.
   */
  paceMs?: number | undefined;
  /** Called after every step of every projection. */
  onProgress?: (name: string, position: Position, handled: number) => void;
}

export interface RunningProjections {
  /** Exact for this process: a read model that has reached a position shows it. */
  progress: Progress;
  /** `stoppedAt` marks a projection that cannot get past an event. */
  health(): ProjectionHealth[];
  /** Resolves once each has finished its batch and saved its checkpoint. */
  stop(): Promise<void>;
}

/**
 * Makes missing read models, rebuilds those of older code, and keeps all of them up with the log. Throws when
 * newer code made one of them.
 */
export async function startProjections(options: StartProjections): Promise<RunningProjections> {
  const { store, databaseUrl, log, projections = readModels, onProgress = () => {} } = options;
  const { progress = new ProjectionProgress(projections.map(({ name }) => name)), paceMs = 0 } = options;
  await makeReadModels({ store, databaseUrl, log, projections });

  const states = new Map<string, ProjectionHealth>();
  const stopping = new AbortController();
  const loops = projections.map((projection) =>
    followLog({
      store,
      projection,
      tracing: options.tracing,
      log,
      signal: stopping.signal,
      lingerMs: Math.max(options.lingerMs ?? 0, projection.lingerMs ?? 0),
      rest: (tookMs, signal) =>
        tookMs < paceMs ? progress.rest(projection.name, paceMs - tookMs, signal) : undefined,
      connect: (onLost) => ProjectingConnection.open({ url: databaseUrl, schema: projection.name, onLost }),
      onProgress: (name, position, handled) => {
        progress.advance(name, position);
        onProgress(name, position, handled);
      },
      onHealth: (state) => void states.set(state.name, state),
    }),
  );

  return {
    progress,
    health: () => [...states.values()],
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

/**
 * Creates the progress of projections that may run in another process. It polls the table of checkpoints
 * while a caller waits.
 */
export function remoteProgress(pool: pg.Pool): ProjectionProgress {
  const names = readModels.map(({ name }) => name);
  return new ProjectionProgress(names, async () => {
    const { rows } = await pool.query<{ name: string; position: string }>(
      'select name, position from public.checkpoints where name = any ($1)',
      [names],
    );
    return new Map(rows.map(({ name, position }) => [name, Number(position)]));
  });
}

const READY_POLL_MS = 500;

/**
 * Resolves once others have made the read models, for a process that makes none. Throws when newer code made
 * one of them, and with the signal's reason when it aborts.
 */
export async function readModelsMade(
  { pool, log, signal }: { pool: pg.Pool; log: Logger; signal: AbortSignal },
  projections: readonly Projection[] = readModels,
): Promise<void> {
  for (let isSaid = false; ; isSaid = true) {
    const { rows } = await pool.query<Made>(VERSIONS);
    const missing = missingAmong(projections, rows);
    if (missing.length === 0) return;
    if (!isSaid) log.info({ missing }, 'waiting until the projector has built the read models');
    await pause(READY_POLL_MS, undefined, { signal });
  }
}

interface Made {
  name: string;
  version: number;
}
const VERSIONS = 'select name, version from public.checkpoints';

/**
 * Returns the names of the read models that are missing or made by older code. Throws when newer code made
 * one of them.
 */
function missingAmong(projections: readonly Projection[], rows: readonly Made[]): string[] {
  const made = new Map(rows.map(({ name, version }) => [name, version]));
  for (const { name, version } of projections)
    if ((made.get(name) ?? 0) > version)
      throw new Error(`the read model ${name} was made by newer code (${made.get(name)} > ${version})`);
  return projections.filter(({ name, version }) => made.get(name) !== version).map(({ name }) => name);
}

/** Held while read models are made, so that processes that start together make each one once. */
const LOCK_KEY = 7_233_170_192;

/** Makes missing read models and rebuilds those of older code. */
export async function makeReadModels({
  store,
  databaseUrl,
  log,
  projections = readModels,
}: Omit<StartProjections, 'onProgress'>): Promise<void> {
  const client = new Client({
    connectionString: withSession(databaseUrl, { statementTimeoutMs: 0 }),
    application_name: 'read models',
    types: columnTypes,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK_KEY]);
    const { rows } = await client.query<Made>(VERSIONS);
    const missing = missingAmong(projections, rows);
    const older: Projection[] = [];
    for (const projection of projections.filter(({ name }) => missing.includes(name))) {
      const { name, version } = projection;
      const made = rows.find((row) => row.name === name);
      if (!made) {
        await create(client, projection);
        continue;
      }
      log.info(
        { projection: name, from: made.version, to: version },
        'the read model was built by an older version; rebuilding it',
      );
      older.push(projection);
    }
    if (older.length > 0) await rebuildReadModels({ store, databaseUrl, projections: older, log });
  } finally {
    await client.end();
  }
}

const create = (client: pg.Client, projection: Projection) =>
  inTransaction(client, async () => {
    const { name, version } = projection;
    await createTables(client, name, projection);
    await createIndexes(client, name, projection);
    await client.query('insert into public.checkpoints (name, position, version) values ($1, 0, $2)', [
      name,
      version,
    ]);
  });
