import { type IServerFeaturesServer } from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import featureMessages from '@eventstore/db-client/generated/serverfeatures_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import { type IStreamsServer } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import services from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { createAppends } from './appends.ts';
import { createFaults, type Faults } from './faults.ts';
import { type LogOptions, StandInLog, type StoredEvent } from './log.ts';
import { nameOf } from './messages.ts';
import { createReads } from './reads.ts';

export interface EventStoreDb {
  url: string;
  port: number;
  faults: Faults;
  /** All stored events in the order of the log, including the server's own. */
  events(): StoredEvent[];
  /** The number of subscriptions opened so far. */
  subscriptions(): number;
  /** Clears the recent ids, as a restart or time does: appends at any revision are no longer deduplicated. */
  forgetRecentIds(): void;
  /** Cuts all connections and restarts on the same port, with the log but without the recent ids. */
  restart(): Promise<void>;
  /** Restarts with the log as it was up to a position. */
  restore(position: number): Promise<void>;
  stop(): Promise<void>;
}

export interface EventStoreDbOptions extends LogOptions {
  /** Whether the server announces BatchAppend; otherwise clients use the older call. */
  batchAppend?: boolean;
}

/**
 * Starts a stand-in for EventStoreDB on a loopback port: the gRPC services that the client's package ships,
 * over a log in memory, with the semantics of the real server and with faults on demand.
 */
export async function startEventStoreDb(options: EventStoreDbOptions = {}): Promise<EventStoreDb> {
  const log = new StandInLog(options);
  const plan = createFaults();
  let port = 0;
  const { batchAppend, append } = createAppends(log, plan, () => port);
  const streamsServer: IStreamsServer = {
    batchAppend,
    append,
    read: createReads(log, plan, () => port),
    delete(call, callback) {
      const stream = call.request.getOptions();
      if (stream) log.delete(nameOf(stream), false);
      callback(null, new streams.DeleteResp().setNoPosition(new shared.Empty()));
    },
    tombstone(call, callback) {
      const stream = call.request.getOptions();
      if (stream) log.delete(nameOf(stream), true);
      callback(null, new streams.TombstoneResp().setNoPosition(new shared.Empty()));
    },
  };

  async function listen(): Promise<Server> {
    const server = new Server({ 'grpc.max_receive_message_length': 17 * 2 ** 20 });
    server.addService(services.StreamsService, streamsServer);
    server.addService(features.ServerFeaturesService, serverFeatures(options.batchAppend ?? true));
    port = await new Promise<number>((resolve, reject) =>
      server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    return server;
  }

  let server = await listen();
  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    port,
    faults: plan.faults,
    events: () => [...log.events],
    subscriptions: () => plan.counts.subscriptions,
    forgetRecentIds: () => log.forgetRecentIds(),
    async restart() {
      server.forceShutdown();
      log.forgetRecentIds();
      server = await listen();
    },
    async restore(position) {
      server.forceShutdown();
      log.goBackTo(position);
      server = await listen();
    },
    async stop() {
      server.forceShutdown();
    },
  };
}

const serverFeatures = (hasBatchAppend: boolean): IServerFeaturesServer => ({
  getSupportedMethods(_call, callback) {
    const methods = ['append', 'read', 'delete', 'tombstone', ...(hasBatchAppend ? ['batchappend'] : [])];
    const supported = new featureMessages.SupportedMethods().setEventStoreServerVersion('23.10.0.0');
    for (const name of methods)
      supported.addMethods(
        new featureMessages.SupportedMethod()
          .setServiceName('event_store.client.streams.streams')
          .setMethodName(name),
      );
    callback(null, supported);
  },
});
