import type { Logger } from 'pino';
import type { AggregateLoader } from '../commands/aggregate-cache.ts';
import type { EventStore } from '../events/event-store.ts';
import type { Progress } from '../projections/projection.ts';
import type { Tracing } from '../kit/tracing.ts';
import type { Closers } from '../kit/closers.ts';
import { postgresCheckpoint } from '../adapters/postgres/tables/checkpoints.ts';
import { startBroadcaster } from '../realtime/delivery/broadcaster.ts';
import type { NodeBus } from '../realtime/cluster/node-bus.ts';
import { createDeliveryServer } from '../realtime/cluster/deliver-everywhere.ts';
import { type NamedFiles, createNamedFiles } from '../realtime/delivery/tell-members.ts';
import { type UnseenBy, createUnseenBy } from '../realtime/delivery/unseen.ts';
import type { Delivery } from '../realtime/delivery/delivery.ts';
import { whileLeading } from './while-leading.ts';
import type { DatabaseParts } from './log.ts';

interface RealtimeDeps extends Pick<DatabaseParts, 'background' | 'leases'> {
  store: EventStore;
  loader: AggregateLoader;
  tracing: Tracing;
  bus: NodeBus;
  progress: Pick<Progress, 'reached'>;
  queries: { unseenBy: UnseenBy; namedFiles: NamedFiles };
  /** The delivery of the gateway in this process, if there is one. */
  delivery: Delivery | undefined;
}

/** Runs the broadcaster for the sockets of all nodes, wherever this process leads. */
export function startRealtime(log: Logger, open: Closers, deps: RealtimeDeps) {
  const { background, leases, store, loader, tracing, bus } = deps;
  let { delivery } = deps;
  if (!delivery) {
    const server = createDeliveryServer(bus);
    open.add('delivery', () => server.close());
    ({ delivery } = server);
  }
  const from = postgresCheckpoint(background, 'realtime');
  const looks = { unseenBy: createUnseenBy(deps), namedFiles: createNamedFiles(deps) };
  const options = { delivery, store, loader, ...looks, from, tracing, log };
  const broadcasting = whileLeading(leases, 'realtime', () => startBroadcaster(options));
  open.add('broadcaster', () => broadcasting.stop());
  return {
    checks: { broadcaster: () => broadcasting.running()?.failure()?.message },
  };
}
