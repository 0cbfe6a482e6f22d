import type { Logger } from 'pino';
import type { EventStore } from '../events/event-store.ts';
import type { Closers } from '../kit/closers.ts';
import type { Metrics } from '../adapters/prometheus/metrics.ts';
import { postgresCheckpoint } from '../adapters/postgres/tables/checkpoints.ts';
import { followAutomations } from '../automations/follow-automations.ts';
import type { RunAutomations } from '../automations/run-automations.ts';
import { causes } from '../automations/automations.ts';
import { startClosingRooms } from '../automations/close-rooms.ts';
import { createRooms } from '../adapters/postgres/tables/rooms.ts';
import type { HandleCommand } from '../commands/handle-command.ts';
import { newId } from '../kit/uuids.ts';
import { whileLeading } from './while-leading.ts';
import type { DatabaseParts } from './log.ts';

interface AutomationDeps extends Pick<DatabaseParts, 'background' | 'leases'> {
  store: EventStore;
  automate: RunAutomations;
  handle: HandleCommand;
  metrics: Metrics;
}

/** The name under which the checkpoint, the lease and the metrics of automations are stored. */
const NAME = 'reactions';

/** Runs the follower of the automations wherever this process leads. */
export function startAutomations(
  log: Logger,
  open: Closers,
  { background, leases, store, automate, handle, metrics }: AutomationDeps,
) {
  const checkpoint = postgresCheckpoint(background, NAME);
  const following = whileLeading(leases, NAME, () => {
    const automations = followAutomations({
      store,
      automate,
      types: causes,
      checkpoint,
      log,
      onRefused: metrics.automationRefused,
    });
    const closing = startClosingRooms({ rooms: createRooms(background), handle, newId, log });
    return {
      failure: () => automations.failure()?.message ?? closing.failure(),
      async stop() {
        await Promise.all([automations.stop(), closing.stop()]);
      },
    };
  });
  open.add(NAME, () => following.stop());
  return { checks: { [NAME]: () => following.running()?.failure() } };
}
