import codes from '@eventstore/db-client/generated/code_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import statuses from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import anyPb from 'google-protobuf/google/protobuf/any_pb.js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import type { Decision, Expected, ProposedEvent, StoredEvent } from './log.ts';

type Proposed = streams.BatchAppendReq.ProposedMessage | streams.AppendReq.ProposedMessage;
/** The options of both append calls. */
interface ExpectedOptions {
  getStreamIdentifier(): shared.StreamIdentifier | undefined;
  hasAny(): boolean;
  hasNoStream(): boolean;
  hasStreamExists(): boolean;
}

export const nameOf = (options: ExpectedOptions | streams.ReadReq.Options.StreamOptions) =>
  Buffer.from(options.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString();

export function expectedIn(options: ExpectedOptions, exact: string): Expected {
  if (options.hasAny()) return 'any';
  if (options.hasNoStream()) return 'no_stream';
  return options.hasStreamExists() ? 'stream_exists' : Number(exact);
}

export function proposedFrom(message: Proposed): ProposedEvent {
  const metadata = message.getMetadataMap();
  return {
    id: message.getId()?.getString() ?? '',
    type: metadata.get('type') ?? '',
    contentType: metadata.get('content-type') ?? 'application/octet-stream',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

const identifier = (stream: string) => new shared.StreamIdentifier().setStreamName(Buffer.from(stream));
const allPosition = ({ position }: StoredEvent) =>
  new shared.AllStreamPosition().setCommitPosition(`${position}`).setPreparePosition(`${position}`);

export function eventMessage(event: StoredEvent): streams.ReadResp {
  const recorded = new streams.ReadResp.ReadEvent.RecordedEvent()
    .setId(new shared.UUID().setString(event.id))
    .setStreamIdentifier(identifier(event.stream))
    .setStreamRevision(`${event.revision}`)
    .setCommitPosition(`${event.position}`)
    .setPreparePosition(`${event.position}`)
    .setData(event.data)
    .setCustomMetadata(event.metadata);
  recorded
    .getMetadataMap()
    .set('type', event.type)
    .set('content-type', event.contentType)
    .set('created', `${event.created}`);
  return new streams.ReadResp().setEvent(
    new streams.ReadResp.ReadEvent().setEvent(recorded).setCommitPosition(`${event.position}`),
  );
}

export const confirmation = () =>
  new streams.ReadResp().setConfirmation(
    new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId(crypto.randomUUID()),
  );
export const checkpoint = ({ position }: StoredEvent) =>
  new streams.ReadResp().setCheckpoint(
    new streams.ReadResp.Checkpoint().setCommitPosition(`${position}`).setPreparePosition(`${position}`),
  );
export const caughtUp = () => new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp());
export const fellBehind = () => new streams.ReadResp().setFellBehind(new streams.ReadResp.FellBehind());
export const streamNotFound = (stream: string) =>
  new streams.ReadResp().setStreamNotFound(
    new streams.ReadResp.StreamNotFound().setStreamIdentifier(identifier(stream)),
  );

/** A decoded append, the same for both paths. */
export interface AppendCall {
  stream: string;
  expected: Expected;
  events: ProposedEvent[];
}

function packed(name: string, message: { serializeBinary(): Uint8Array }): anyPb.Any {
  const any = new anyPb.Any();
  any.pack(message.serializeBinary(), `event_store.client.${name}`);
  return any;
}

function wrongExpectedVersion(expected: Expected, current: number): shared.WrongExpectedVersion {
  const wrong = new shared.WrongExpectedVersion();
  const empty = new emptyPb.Empty();
  if (current < 0) wrong.setCurrentNoStream(empty);
  else wrong.setCurrentStreamRevision(`${current}`);
  if (expected === 'any') return wrong.setExpectedAny(empty);
  if (expected === 'no_stream') return wrong.setExpectedNoStream(empty);
  if (expected === 'stream_exists') return wrong.setExpectedStreamExists(empty);
  return wrong.setExpectedStreamPosition(`${expected}`);
}

/** An error as the `google.rpc.Status` of the batch path: a name of the server's and its details. */
function batchError({ stream, expected }: AppendCall, decision: Exclude<Decision, { is: 'stored' }>) {
  const tell = (code: codes.Code, message: string, details: anyPb.Any) =>
    new statuses.Status().setCode(code).setMessage(message).setDetails(details);
  switch (decision.is) {
    case 'wrongExpectedVersion':
      return tell(
        codes.Code.ALREADY_EXISTS,
        'WrongExpectedVersion',
        packed('WrongExpectedVersion', wrongExpectedVersion(expected, decision.current)),
      );
    case 'streamDeleted':
      return tell(
        codes.Code.ALREADY_EXISTS,
        'StreamDeleted',
        packed('StreamDeleted', new shared.StreamDeleted().setStreamIdentifier(identifier(stream))),
      );
    case 'tooLarge':
      return tell(
        codes.Code.INVALID_ARGUMENT,
        'MaximumAppendSizeExceeded',
        packed(
          'MaximumAppendSizeExceeded',
          new shared.MaximumAppendSizeExceeded().setMaxappendsize(decision.limit),
        ),
      );
  }
}

export function batchAnswer(append: AppendCall, correlationId: shared.UUID | undefined, decision: Decision) {
  const answer = new streams.BatchAppendResp()
    .setCorrelationId(correlationId)
    .setStreamIdentifier(identifier(append.stream));
  if (decision.is !== 'stored') return answer.setError(batchError(append, decision));
  return answer.setSuccess(
    new streams.BatchAppendResp.Success()
      .setCurrentRevision(`${decision.last.revision}`)
      .setPosition(allPosition(decision.last)),
  );
}

/** The answer of a server that did not finish in time; it does not tell what was stored. */
export const batchTimeout = (append: AppendCall, correlationId: shared.UUID | undefined) =>
  new streams.BatchAppendResp()
    .setCorrelationId(correlationId)
    .setStreamIdentifier(identifier(append.stream))
    .setError(
      new statuses.Status()
        .setCode(codes.Code.DEADLINE_EXCEEDED)
        .setMessage('Timeout')
        .setDetails(packed('Timeout', new shared.Timeout())),
    );

/** The other path reports errors in trailers, and a wrong expected version in the answer itself. */
export function appendAnswer({ expected }: AppendCall, decision: Decision) {
  if (decision.is === 'stored') {
    const { position, revision } = decision.last;
    return new streams.AppendResp().setSuccess(
      new streams.AppendResp.Success()
        .setCurrentRevision(`${revision}`)
        .setPosition(
          new streams.AppendResp.Position()
            .setCommitPosition(`${position}`)
            .setPreparePosition(`${position}`),
        ),
    );
  }
  if (decision.is !== 'wrongExpectedVersion') return undefined;
  const wrong = new streams.AppendResp.WrongExpectedVersion();
  const empty = new shared.Empty();
  if (decision.current < 0) wrong.setCurrentNoStream(empty);
  else wrong.setCurrentRevision(`${decision.current}`);
  if (expected === 'any') wrong.setExpectedAny(empty);
  else if (expected === 'no_stream') wrong.setExpectedNoStream(empty);
  else if (expected === 'stream_exists') wrong.setExpectedStreamExists(empty);
  else wrong.setExpectedRevision(`${expected}`);
  return new streams.AppendResp().setWrongExpectedVersion(wrong);
}

/** An error of a call, with the trailers by which the client identifies it. */
export function callError(code: status, details: string, trailers: Record<string, string> = {}) {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(trailers)) metadata.set(name, value);
  return Object.assign<Error, Omit<ServiceError, keyof Error>>(new Error(details), {
    code,
    details,
    metadata,
  });
}

export const unavailable = () => callError(status.UNAVAILABLE, 'Server Is Not Ready');
export const notLeader = (port: number) =>
  callError(status.NOT_FOUND, 'Leader info available', {
    exception: 'not-leader',
    'leader-endpoint-host': '127.0.0.1',
    'leader-endpoint-port': `${port}`,
  });
export const streamDeleted = (stream: string) =>
  callError(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });
export const appendTooLarge = (limit: number) =>
  callError(status.INVALID_ARGUMENT, `Maximum Append Size of ${limit} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': `${limit}`,
  });
export const invalidPosition = () => callError(status.INVALID_ARGUMENT, 'Invalid position.');
