import type { EventStore } from '../events/event-store.ts';
import { ProblemError, problem } from '../http/problem.ts';
import type { Progress } from '../projections/projection.ts';
import { conversations } from '../projections/conversations.ts';

const WAIT_MS = 2_000;

/**
 * Waits until the conversations read model shows the log as it is now, for those who decide by it.
 * Throws NOT_CAUGHT_UP after 2 s.
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
    throw new ProblemError(problem('NOT_CAUGHT_UP', { retryAfterSeconds: 1 }));
}
