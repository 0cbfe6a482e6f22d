import type { EventStoreDBClient } from '@eventstore/db-client';
import services from '@eventstore/db-client/generated/streams_grpc_pb.js';

/**
 * The private parts of the client library that this adapter uses (@eventstore/db-client 6.2).
 * test/private-parts.spec.ts fails when an upgrade changes them.
 */

/** A gRPC call of BatchAppend. */
export type Call = ReturnType<InstanceType<typeof services.StreamsClient>['batchAppend']>;

/**
 * Returns a function that opens a call of BatchAppend on the leader, in the way of the library's own calls:
 * it renews the channel and finds the leader again when a call breaks. `opened` is called with each new call.
 */
export const batchAppendCreator = (
  client: EventStoreDBClient,
  opened: (call: Call) => Call,
): (() => Promise<Call>) =>
  client['GRPCStreamCreator'](services.StreamsClient, 'batchAppend', (grpc) =>
    opened(grpc.batchAppend(...client['callArguments']({ requiresLeader: true }, { deadline: Infinity }))),
  );

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
