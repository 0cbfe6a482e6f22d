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
