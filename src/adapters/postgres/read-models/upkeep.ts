import type pg from 'pg';
import type { EventStore, Position } from '../../../events/event-store.ts';
import type { Projection } from '../../../projections/projection.ts';
import { readModels } from '../../../projections/read-models.ts';
import type { ReadModelState, ReadModelUpkeep } from '../../../projections/upkeep.ts';
import { createFollowerLags } from '../follower-lags.ts';
import { previousOf } from './read-model-schemas.ts';
import { rollBackOnce } from './rebuild-projection.ts';
import { lastRebuilds, requestRebuild } from './rebuild-records.ts';

interface ReadModelTables {
  pool: Pick<pg.Pool, 'query'>;
  store: Pick<EventStore, 'head' | 'readStored'>;
  /** Default: all read models. */
  projections?: readonly Projection[];
}

/** Resolves with the end of the log, and how far each read model is. */
export async function readModelStates({
  pool,
  store,
  projections = readModels,
}: ReadModelTables): Promise<{ head: Position; readModels: ReadModelState[] }> {
  const followers = projections.map(({ name }) => name);
  const followerLags = createFollowerLags({ pool, store, followers });
  const { rows } = await pool.query<{ name: string; position: number; version: number; isKept: boolean }>(
    `select name, position, version, exists (select from pg_namespace where nspname = name) as "isKept"
     from checkpoints`,
  );
  const checkpoints = new Map(rows.map((row) => [row.name, row]));
  const rebuilds = await lastRebuilds(pool);
  const lags = new Map((await followerLags()).map(({ follower, seconds }) => [follower, seconds]));
  const head = await store.head();
  const states = projections.map(({ name, version: latestVersion }) => {
    const { position, version } = checkpoints.get(name) ?? { position: null, version: null };
    return {
      ...{ name, version, latestVersion, position },
      behind: position === null ? null : Math.max(head - position, 0),
      lagSeconds: lags.get(name) ?? null,
      previousKept: checkpoints.get(previousOf(name))?.isKept ?? false,
      rebuild: rebuilds.get(name) ?? null,
    };
  });
  return { head, readModels: states };
}

/** Creates what operators may do to read models, through the tables: another process may lead the projections. */
export function createReadModelUpkeep({
  databaseUrl,
  ...tables
}: ReadModelTables & { databaseUrl: string }): ReadModelUpkeep {
  const { pool, projections = readModels } = tables;
  return {
    names: projections.map(({ name }) => name),
    states: () => readModelStates(tables),
    async rollBackObstacle(name) {
      const { readModels: states } = await readModelStates(tables);
      const state = states.find((each) => each.name === name);
      if (state?.rebuild?.state === 'running') return 'REBUILD_RUNNING';
      return state?.previousKept ? undefined : 'NOTHING_KEPT';
    },
    requestRebuild: (asked) => requestRebuild(pool, asked),
    rollBack: (asked) => rollBackOnce(databaseUrl, asked),
  };
}
