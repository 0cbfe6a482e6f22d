import type pg from 'pg';
import type { Logger } from 'pino';
import type { EventStore } from '../../../events/event-store.ts';
import { sleep } from '../../../kit/back-off.ts';
import type { Projection } from '../../../projections/projection.ts';
import { rebuildReadModels } from './rebuild-projection.ts';
import { waitingRebuilds } from './rebuild-records.ts';

const POLL_MS = 1_000;

/**
 * Does the rebuilds that operators ask for, one after the other. One that is cut off, by a stop or by the death of the
 * process, starts again wherever this runs next.
 */
export function startRebuilds({
  pool,
  store,
  databaseUrl,
  projections,
  log,
}: {
  pool: Pick<pg.Pool, 'query'>;
  store: EventStore;
  databaseUrl: string;
  projections: readonly Projection[];
  log: Logger;
}): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const names = projections.map(({ name }) => name);

  async function next(): Promise<void> {
    for (const { name, actId, force } of await waitingRebuilds(pool, names)) {
      if (signal.aborted) return;
      const asked = projections.filter((projection) => projection.name === name);
      log.info({ projection: name, actId }, 'rebuilding a read model because an operator has asked for it');
      const rebuilding = { store, databaseUrl, projections: asked, force, actId, log };
      // A signal of its own, which is forgotten with its listeners.
      await rebuildReadModels({ ...rebuilding, signal: AbortSignal.any([signal]) }).catch((err: unknown) => {
        if (!signal.aborted)
          log.error({ err, projection: name, actId }, 'could not rebuild the read model; it stays as it is');
      });
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await next().catch((err: unknown) =>
        log.warn({ err }, 'could not look for rebuilds that are asked for; looking again in a second'),
      );
      await sleep(POLL_MS, signal);
    }
  }

  const ended = run();
  return {
    stop() {
      stopping.abort();
      return ended;
    },
  };
}
