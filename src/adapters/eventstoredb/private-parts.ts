import type { Readable } from 'node:stream';
import type { EventStoreDBClient } from '@eventstore/db-client';
import services from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { CallOptions, Metadata } from '@grpc/grpc-js';

/**
 * The private parts of the client library that this adapter uses (@eventstore/db-client 6.2).
 * test/private-parts.spec.ts fails when an upgrade changes them.
 */

type Services = InstanceType<typeof services.StreamsClient>;

/**
 * Opens a call on the leader, in the way of the library's own calls: it renews the channel and finds the leader again
 * when a call breaks. The leader has everything that was acknowledged; a follower may lack it. A call has no deadline
 * of its own: its caller limits its silence.
 */
export const openCall = <T extends Readable>(
  client: EventStoreDBClient,
  open: (grpc: Services, metadata: Metadata, options: CallOptions) => T,
): Promise<T> =>
  client['GRPCStreamCreator'](services.StreamsClient, 'call', (grpc) =>
    open(grpc, ...client['callArguments']({ requiresLeader: true }, { deadline: Infinity })),
  )();

/** Closes the connection, which `dispose` leaves open. */
export async function closeChannel(client: EventStoreDBClient): Promise<void> {
  (await client['getChannel']()).close();
}

/**
 * Keeps a failed search for the leader from ending the process. The library handles the error of a broken stream
 * without waiting for it, and that rejects when the search that another stream has begun fails. Every call that
 * needs the leader rejects by itself.
 */
export function containDiscovery(client: EventStoreDBClient): EventStoreDBClient {
  const handleError = client['handleError'];
  client['handleError'] = (...broken) => handleError(...broken).catch(() => undefined);
  return client;
}
