import type { EventStore } from '../events/event-store.ts';
import { conversations } from '../projections/conversations.ts';
import { type Progress, caughtUp } from '../projections/projection.ts';

/**
 * Waits until the conversations read model shows the log as it is now, for those who decide by it.
 * Throws `NotCaughtUp` after 2 s.
 */
export async function conversationsCaughtUp({
  store,
  progress,
}: {
  store: Pick<EventStore, 'head'>;
  progress: Pick<Progress, 'reached'>;
}): Promise<void> {
  await caughtUp(progress, await store.head(), [conversations.name]);
}
