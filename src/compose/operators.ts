import { createOutbox } from '../adapters/postgres/notifications/outbox.ts';
import { runningNodes } from '../adapters/postgres/nodes.ts';
import { createReadModelUpkeep } from '../adapters/postgres/read-models/upkeep.ts';
import { readWaiting } from '../adapters/postgres/waiting.ts';
import type { EventStore } from '../events/event-store.ts';
import type { Deployment } from '../http/routes/operators/system.ts';
import type { DatabaseParts } from './log.ts';

/** Opens what operators see and do, beside the accounts. */
export function openOperations({
  databaseUrl,
  background,
  leases,
  store,
}: Pick<DatabaseParts, 'databaseUrl' | 'background' | 'leases'> & { store: EventStore }) {
  return {
    outbox: createOutbox({ pool: background }),
    readModelUpkeep: createReadModelUpkeep({ pool: background, databaseUrl, store }),
    async deployment(): Promise<Deployment> {
      const [nodes, standing, { queues }] = await Promise.all([
        runningNodes(background),
        leases.standing(),
        readWaiting(background, new Date()),
      ]);
      return { nodes, leases: standing, queues };
    },
  };
}
