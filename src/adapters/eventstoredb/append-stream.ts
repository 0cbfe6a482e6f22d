import { randomUUID } from 'node:crypto';
import { NO_STREAM, type Revision } from '../../events/event-store.ts';
import type { Stream } from '../../events/streams.ts';
import type { EventStoreDbClient } from './client.ts';
import {
  type AppendCall,
  type AppendRequest,
  type AppendResponse,
  NOTHING,
  openAppends,
  wrongRevision,
} from './wire.ts';

/** Time limit of an answer. A later answer leaves it open whether the events were stored. */
const APPEND_MS = 3_000;

export interface ProposedEvent {
  id: string;
  type: string;
  /** JSON. */
  data: Buffer;
  metadata: Buffer;
}

export type AppendAnswer =
  | 'stored'
  /** The stream was at this revision instead. */
  | { elsewhere: Revision }
  /** The stream has a tombstone. */
  | 'deleted'
  /** The server refuses it, now and later. */
  | { refused: string }
  /** The outcome is unknown: the events may be stored, on their way, or lost. */
  | { unknown: string };

export interface AppendStream {
  /**
   * Appends events. Never rejects. A repetition with the same ids at the same revision is stored once. After
   * `forget`, `answer` never settles.
   */
  append(
    stream: Stream,
    expected: Revision,
    events: readonly ProposedEvent[],
  ): { answer: Promise<AppendAnswer>; forget(): void };
  close(): void;
}

const WRONG_REVISION = 'event_store.client.WrongExpectedVersion';
const VERDICTS: Record<string, AppendAnswer> = {
  'event_store.client.StreamDeleted': 'deleted',
  'event_store.client.AccessDenied': { refused: 'access denied' },
  'event_store.client.MaximumAppendSizeExceeded': { refused: 'the append is too large' },
};

/**
 * Creates appends over one gRPC stream of the server's BatchAppend. The library's own appendToStream keeps
 * pending appends in a map of the whole process: an error of one stream rejects the appends of all, and a
 * later answer throws where it cannot be caught. Here an answer without a waiting append is ignored.
 */
export function createAppendStream(client: EventStoreDbClient): AppendStream {
  const waiting = new Map<string, (answer: AppendAnswer) => void>();
  let current: Promise<AppendCall> | undefined;

  function open(): Promise<AppendCall> {
    const opening = openAppends(client.connection(), (call) =>
      call.on('data', receive).on('error', (error: Error) => lose(opening, error.message)),
    );
    opening.then(
      (call) => call.on('end', () => lose(opening, 'the server ended the appends')),
      (error: Error) => lose(opening, error.message),
    );
    return opening;
  }

  function receive(response: AppendResponse): void {
    waiting.get(response.correlationId?.string ?? '')?.(answerIn(response));
  }

  /** Answers everything that was sent over the lost stream as unknown. */
  function lose(lost: Promise<AppendCall> | undefined, why: string): void {
    if (lost !== current) return;
    current = undefined;
    for (const answer of [...waiting.values()]) answer({ unknown: why });
  }

  function reset(why: string): void {
    const lost = current;
    lose(lost, why);
    lost?.then((call) => call.cancel()).catch(() => undefined);
  }

  return {
    append(stream, expected, events) {
      const id = randomUUID();
      const { promise, resolve } = Promise.withResolvers<AppendAnswer>();
      const timer = setTimeout(() => {
        // Data in a buffer on the way must not arrive after its caller has given up.
        reset(`no answer within ${APPEND_MS} ms`);
        client.ranLate();
      }, APPEND_MS);
      const forget = () => {
        clearTimeout(timer);
        waiting.delete(id);
      };
      const settle = (answer: AppendAnswer) => {
        forget();
        resolve(answer);
      };
      waiting.set(id, settle);
      const sending = (current ??= open());
      sending.then(
        (call) => waiting.has(id) && call.write(toRequest(id, stream, expected, events)),
        (error: Error) => settle({ unknown: error.message }),
      );
      return { answer: promise, forget };
    },
    close: () => reset('the event store is closed'),
  };
}

function toRequest(
  id: string,
  stream: Stream,
  expected: Revision,
  events: readonly ProposedEvent[],
): AppendRequest {
  return {
    correlationId: { string: id },
    options: {
      streamIdentifier: { streamName: Buffer.from(stream) },
      ...(expected === NO_STREAM ? { noStream: NOTHING } : { streamPosition: expected }),
    },
    proposedMessages: events.map((event) => ({
      id: { string: event.id },
      metadata: { type: event.type, 'content-type': 'application/json' },
      customMetadata: event.metadata,
      data: event.data,
    })),
    isFinal: true,
  };
}

function answerIn({ success, error }: AppendResponse): AppendAnswer {
  if (success) return 'stored';
  const { typeUrl = '', value = new Uint8Array() } = error?.details ?? {};
  const type = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
  if (type === WRONG_REVISION) {
    const { currentNoStream, currentStreamRevision } = wrongRevision.decode(value);
    return { elsewhere: currentNoStream ? NO_STREAM : currentStreamRevision.toNumber() };
  }
  return VERDICTS[type] ?? { unknown: error?.message || 'the server did not say why' };
}
