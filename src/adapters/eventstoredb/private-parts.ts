import type { EventStoreDBClient } from '@eventstore/db-client';
import services from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type streams from '@eventstore/db-client/generated/streams_pb.js';

/**
 * The private parts of the client library that this adapter uses (@eventstore/db-client 6.2).
 * test/private-parts.spec.ts fails when an upgrade changes them.
 */

type Services = InstanceType<typeof services.StreamsClient>;
/** A gRPC call of BatchAppend. */
export type AppendCall = ReturnType<Services['batchAppend']>;
/** A gRPC call of Read: a page, or a subscription. */
export type ReadCall = ReturnType<Services['read']>;

/**
 * The leader has everything that was acknowledged; a follower may lack it. A call has no deadline of its own: its
 * caller limits its silence.
 */
const onLeader = (client: EventStoreDBClient) =>
  client['callArguments']({ requiresLeader: true }, { deadline: Infinity });

/**
 * Opens a call in the way of the library's own calls: it renews the channel and finds the leader again when a call
 * breaks. `opened` is called with the call before it can fail.
 */
export const openAppends = (
  client: EventStoreDBClient,
  opened: (call: AppendCall) => AppendCall,
): Promise<AppendCall> =>
  client['GRPCStreamCreator'](services.StreamsClient, 'batchAppend', (grpc) =>
    opened(grpc.batchAppend(...onLeader(client))),
  )();

export const openRead = (
  client: EventStoreDBClient,
  request: streams.ReadReq,
  opened: (call: ReadCall) => ReadCall,
): Promise<ReadCall> =>
  client['GRPCStreamCreator'](services.StreamsClient, 'read', (grpc) =>
    opened(grpc.read(request, ...onLeader(client))),
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
