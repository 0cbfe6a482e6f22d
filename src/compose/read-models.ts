import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { EventStore } from '../events/event-store.ts';
import type { Tracing } from '../kit/tracing.ts';
import type { Closers } from '../kit/closers.ts';
import {
  type RunningProjections,
  makeReadModels,
  readModelsMade,
  remoteProgress,
  startProjections,
} from '../adapters/postgres/read-models/run-projections.ts';
import { startRebuilds } from '../adapters/postgres/read-models/run-rebuilds.ts';
import { eventIds } from '../projections/event-ids.ts';
import { ProjectionProgress } from '../projections/progress.ts';
import type { Projection } from '../projections/projection.ts';
import { readModels } from '../projections/read-models.ts';
import { whileLeading } from './while-leading.ts';
import type { DatabaseParts } from './log.ts';

/** Who waits for a read model is in this process, and gets it at once. */
const PACE_MS = 50;

/** Returns the read models, including the one that only EventStoreDB needs if it is configured. */
export const readModelsFor = (config: Config): readonly Projection[] =>
  config.eventStoreDbUrl === undefined ? readModels : [...readModels, eventIds];

/** Resolves once the read models exist: a projector creates them, the other processes wait for them. */
export async function prepareReadModels(
  config: Config,
  log: Logger,
  { databaseUrl, background }: DatabaseParts,
  store: EventStore,
): Promise<void> {
  const projections = readModelsFor(config);
  if (config.roles.has('projector')) await makeReadModels({ store, databaseUrl, log, projections });
  else await readModelsMade({ pool: background, log, signal: new AbortController().signal }, projections);
}

/** Opens the progress of the read models. In a projector, also starts the projections. */
export function openReadModels(
  config: Config,
  log: Logger,
  open: Closers,
  {
    databaseUrl,
    background,
    leases,
    isAlone,
    store,
    tracing,
  }: DatabaseParts & { store: EventStore; tracing: Tracing },
) {
  const projections = readModelsFor(config);
  const names = readModels.map(({ name }) => name);
  const progress = isAlone ? new ProjectionProgress(names) : remoteProgress(background);
  if (!config.roles.has('projector')) return { progress, checks: {} };

  // If another process serves requests, its waiters poll the table of checkpoints every 25 ms anyway.
  const lingerMs = config.roles.has('api') ? 0 : 25;
  const projecting = whileLeading(leases, 'projector', async () => {
    const running = await startProjections({
      ...{ store, databaseUrl, log, projections, progress, tracing, lingerMs },
      paceMs: isAlone ? PACE_MS : 0,
    });
    const rebuilds = startRebuilds({ pool: background, store, databaseUrl, projections: readModels, log });
    return {
      ...running,
      async stop() {
        await Promise.all([rebuilds.stop(), running.stop()]);
      },
    };
  });
  open.add('projections', () => projecting.stop());
  return {
    progress,
    checks: { projections: () => stoppedProjections(projecting.running()) },
  };
}

/** Reports projections that are stopped at an event that they cannot handle, for an operator. */
function stoppedProjections(running: RunningProjections | undefined): string | undefined {
  const stopped = running?.health().filter(({ stoppedAt }) => stoppedAt !== undefined) ?? [];
  if (stopped.length === 0) return undefined;
  return stopped.map(({ name, stoppedAt, error }) => `${name} at position ${stoppedAt}: ${error}`).join('; ');
}
