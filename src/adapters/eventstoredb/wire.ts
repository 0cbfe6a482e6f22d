import type { EventStoreDBClient } from '@eventstore/db-client';
import services from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { ClientDuplexStream, ClientReadableStream } from '@grpc/grpc-js';
import protobuf from 'protobufjs/light.js';
import { openCall } from './private-parts.ts';

/** An unsigned integer of 64 bits, as it arrives. */
interface Long {
  toNumber(): number;
}
type Nothing = Record<string, never>;
interface Uuid {
  string: string;
}
interface StreamIdentifier {
  streamName: Uint8Array;
}

export interface ReadRequest {
  stream?: { streamIdentifier: StreamIdentifier; revision?: number; end?: Nothing };
  all?: {
    position?: { commitPosition: number; preparePosition: number };
    start?: Nothing;
    end?: Nothing;
  };
  readDirection: 0 | 1;
  /** The number of events of a page. */
  count?: number;
  subscription?: Nothing;
  filter?: {
    streamIdentifier?: { prefix: readonly string[] };
    eventType?: { prefix: readonly string[] };
    max: number;
    checkpointIntervalMultiplier: number;
  };
  noFilter?: Nothing;
}
export const FORWARDS = 0;
export const BACKWARDS = 1;
export const NOTHING: Nothing = {};

/** A message of a page or of a subscription. Those without an event only show that the server is alive. */
export interface ReadResponse {
  event?: {
    event?: {
      id: Uuid;
      streamIdentifier: StreamIdentifier;
      streamRevision: Long;
      commitPosition: Long;
      metadata: Record<string, string>;
      customMetadata: Uint8Array;
      data: Uint8Array;
    };
  };
}

export interface AppendRequest {
  correlationId: Uuid;
  options: { streamIdentifier: StreamIdentifier; streamPosition?: number; noStream?: Nothing };
  proposedMessages: {
    id: Uuid;
    metadata: Record<string, string>;
    customMetadata: Uint8Array;
    data: Uint8Array;
  }[];
  isFinal: true;
}

export interface AppendResponse {
  correlationId?: Uuid;
  /** `details` is a message, with its type at the end of the URL. */
  error?: { message: string; details?: { typeUrl: string; value: Uint8Array } };
  success?: Nothing;
}

/** The details of an append at another revision than the stream has. */
export interface WrongRevision {
  currentStreamRevision: Long;
  currentNoStream?: Nothing;
}

const field = (id: number, type: string) => ({ id, type });
const repeated = (id: number, type: string) => ({ id, type, rule: 'repeated' });
const texts = (id: number) => ({ id, type: 'string', keyType: 'string' });
/** Fields of which a message has one. A zero among them is sent. */
const either = (...names: string[]) => ({ oneof: names });

/**
 * The messages of EventStoreDB's protocol (its streams.proto, shared.proto and status.proto), as far as this adapter
 * needs them. Fields that are left out are skipped. The generated classes of the client library do the same at three
 * times the cost.
 */
const messages = protobuf.Root.fromJSON({
  nested: {
    Nothing: { fields: {} },
    Uuid: { fields: { string: field(2, 'string') } },
    StreamIdentifier: { fields: { streamName: field(3, 'bytes') } },

    ReadRequest: { fields: { options: field(1, 'ReadOptions') } },
    ReadOptions: {
      oneofs: { from: either('stream', 'all'), many: either('count', 'subscription') },
      fields: {
        stream: field(1, 'StreamOptions'),
        all: field(2, 'AllOptions'),
        readDirection: field(3, 'uint32'),
        count: field(5, 'uint64'),
        subscription: field(6, 'Nothing'),
        filter: field(7, 'Filter'),
        noFilter: field(8, 'Nothing'),
        uuidOption: field(9, 'UuidOption'),
      },
    },
    StreamOptions: {
      oneofs: { from: either('revision', 'end') },
      fields: {
        streamIdentifier: field(1, 'StreamIdentifier'),
        revision: field(2, 'uint64'),
        end: field(4, 'Nothing'),
      },
    },
    AllOptions: {
      fields: { position: field(1, 'AllPosition'), start: field(2, 'Nothing'), end: field(3, 'Nothing') },
    },
    AllPosition: { fields: { commitPosition: field(1, 'uint64'), preparePosition: field(2, 'uint64') } },
    Filter: {
      fields: {
        streamIdentifier: field(1, 'Expression'),
        eventType: field(2, 'Expression'),
        max: field(3, 'uint32'),
        checkpointIntervalMultiplier: field(5, 'uint32'),
      },
    },
    Expression: { fields: { prefix: repeated(2, 'string') } },
    UuidOption: { fields: { string: field(2, 'Nothing') } },

    ReadResponse: { fields: { event: field(1, 'ReadEvent') } },
    ReadEvent: { fields: { event: field(1, 'RecordedEvent') } },
    RecordedEvent: {
      fields: {
        id: field(1, 'Uuid'),
        streamIdentifier: field(2, 'StreamIdentifier'),
        streamRevision: field(3, 'uint64'),
        commitPosition: field(5, 'uint64'),
        metadata: texts(6),
        customMetadata: field(7, 'bytes'),
        data: field(8, 'bytes'),
      },
    },

    AppendRequest: {
      fields: {
        correlationId: field(1, 'Uuid'),
        options: field(2, 'AppendOptions'),
        proposedMessages: repeated(3, 'ProposedMessage'),
        isFinal: field(4, 'bool'),
      },
    },
    AppendOptions: {
      oneofs: { expected: either('streamPosition', 'noStream') },
      fields: {
        streamIdentifier: field(1, 'StreamIdentifier'),
        streamPosition: field(2, 'uint64'),
        noStream: field(3, 'Nothing'),
      },
    },
    ProposedMessage: {
      fields: {
        id: field(1, 'Uuid'),
        metadata: texts(2),
        customMetadata: field(3, 'bytes'),
        data: field(4, 'bytes'),
      },
    },

    AppendResponse: {
      fields: { correlationId: field(1, 'Uuid'), error: field(2, 'Status'), success: field(3, 'Nothing') },
    },
    Status: { fields: { message: field(2, 'string'), details: field(3, 'Any') } },
    Any: { fields: { typeUrl: field(1, 'string'), value: field(2, 'bytes') } },
    WrongRevision: {
      fields: { currentStreamRevision: field(1, 'uint64'), currentNoStream: field(2, 'Nothing') },
    },
  },
});

function codec<T extends object>(name: string) {
  const type = messages.lookupType(name);
  return {
    encode: (message: T) => type.encode(message).finish() as Buffer,
    decode: (bytes: Uint8Array) => type.decode(bytes) as unknown as T,
  };
}
const readRequest = codec<{ options: ReadRequest & { uuidOption: { string: Nothing } } }>('ReadRequest');
const readResponse = codec<ReadResponse>('ReadResponse');
const appendRequest = codec<AppendRequest>('AppendRequest');
const appendResponse = codec<AppendResponse>('AppendResponse');
export const wrongRevision = codec<WrongRevision>('WrongRevision');

const { read, batchAppend } = services.StreamsService;

/** A page, or a subscription. */
export type ReadCall = ClientReadableStream<ReadResponse>;
/** Appends that are answered in any order. */
export type AppendCall = ClientDuplexStream<AppendRequest, AppendResponse>;

/** Opens a call on the leader. `opened` is called with the call before it can fail. */
export const openRead = (
  client: EventStoreDBClient,
  request: ReadRequest,
  opened: (call: ReadCall) => ReadCall,
): Promise<ReadCall> =>
  openCall(client, (grpc, ...settings) =>
    opened(
      grpc.makeServerStreamRequest(
        read.path,
        readRequest.encode,
        readResponse.decode,
        { options: { ...request, uuidOption: { string: NOTHING } } },
        ...settings,
      ),
    ),
  );

export const openAppends = (
  client: EventStoreDBClient,
  opened: (call: AppendCall) => AppendCall,
): Promise<AppendCall> =>
  openCall(client, (grpc, ...settings) =>
    opened(
      grpc.makeBidiStreamRequest(batchAppend.path, appendRequest.encode, appendResponse.decode, ...settings),
    ),
  );
