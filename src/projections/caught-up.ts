import type { EventStore } from '../events/event-store.ts';
import { type Progress, type ProjectionName, caughtUp } from './projection.ts';

/**
 * Waits until some read models show the current log, for decisions that rely on them. Throws `NotCaughtUp`
 * after 2 s.
 */
export async function caughtUpWithLog(
  { store, progress }: { store: Pick<EventStore, 'head'>; progress: Pick<Progress, 'reached'> },
  ...models: readonly { name: ProjectionName }[]
): Promise<void> {
  const names = models.map(({ name }) => name);
  await caughtUp(progress, await store.head(), names);
}
