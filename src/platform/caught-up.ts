import type { EventStore } from '../events/event-store.ts';
import { conversations } from '../projections/conversations.ts';
import { NotCaughtUp, type Progress } from '../projections/projection.ts';

const WAIT_MS = 2_000;

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
  const head = await store.head();
  if (!(await progress.reached(head, WAIT_MS, [conversations.name])))
    throw new NotCaughtUp(`conversations did not reach ${head} in ${WAIT_MS} ms`);
}
