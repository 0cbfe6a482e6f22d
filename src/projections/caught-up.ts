import type { EventStore } from '../events/event-store.ts';
import { type Progress, type ProjectionName, caughtUp } from './projection.ts';

/**
 * Waits until some read models show the log as it is now, for those who decide by them.
 * Throws `NotCaughtUp` after 2 s.
 */
export async function caughtUpWithLog(
  { store, progress }: { store: Pick<EventStore, 'head'>; progress: Pick<Progress, 'reached'> },
  ...models: readonly { name: ProjectionName }[]
): Promise<void> {
  const names = models.map(({ name }) => name);
  await caughtUp(progress, await store.head(), names);
}
