import type { Logger } from 'pino';
import type { EventStore } from '../events/event-store.ts';
import type { Closers } from '../kit/closers.ts';
import type { Metrics } from '../adapters/prometheus/metrics.ts';
import { postgresCheckpoint } from '../adapters/postgres/tables/checkpoints.ts';
import { followReactions } from '../automations/follow-reactions.ts';
import type { React } from '../automations/react.ts';
import { causes } from '../automations/reactions.ts';
import { led } from './led.ts';
import type { DatabaseParts } from './log.ts';

interface ReactionDeps extends Pick<DatabaseParts, 'background' | 'leases'> {
  store: EventStore;
  react: React;
  metrics: Metrics;
}

/** Makes sure, from the log, of what follows from events, wherever this process leads. */
export function startReactions(
  log: Logger,
  open: Closers,
  { background, leases, store, react, metrics }: ReactionDeps,
) {
  const checkpoint = postgresCheckpoint(background, 'reactions');
  const following = led(leases, 'reactions', () =>
    followReactions({ store, react, types: causes, checkpoint, log, onRefused: metrics.reactionRefused }),
  );
  open.add('reactions', () => following.stop());
  return {
    async measure(): Promise<void> {
      const running = following.running();
      if (running) metrics.reactionLag((await store.head()) - running.position());
    },
    checks: { reactions: () => following.running()?.failure()?.message },
  };
}
