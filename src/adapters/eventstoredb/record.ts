import { z } from 'zod';
import type { Metadata, Recorded } from '../../events/event-store.ts';
import { UnreadableEvent, fromStored, isUnknown } from '../../events/stored-events.ts';
import type { Stream } from '../../events/streams.ts';
import type { WaitingAppend } from '../event-log/batch.ts';
import type { OnUnknown } from '../postgres/event-log/reader.ts';
import type { ProposedEvent } from './append-stream.ts';
import type { StoredRecord } from './client.ts';

type Category<S extends Stream = Stream> = S extends `${infer C}-${string}` ? C : never;
const categories: Record<Category, true> = {
  account: true,
  job: true,
  application: true,
  chatGroup: true,
  conversation: true,
  file: true,
};
/** The prefixes of our streams. Everything else on the server is not ours. */
export const PREFIXES = Object.keys(categories).map((category) => `${category}-`);
export const isOurs = ({ stream }: StoredRecord): boolean =>
  Object.hasOwn(categories, stream.slice(0, Math.max(0, stream.indexOf('-'))));

/** The names with a dollar are EventStoreDB's own; its projection by correlation id and its tools read them. */
const metadataSchema = z.object({
  $correlationId: z.string(),
  $causationId: z.string().optional(),
  actorId: z.string().nullable(),
  reliedOn: z.record(z.string(), z.int()).optional(),
  occurredAt: z.iso.datetime({ precision: 3 }),
  v: z.int(),
});

const toStoredMetadata = (
  { actorId, correlationId, causationId, reliedOn }: Metadata,
  occurredAt: string,
  v: number,
): z.infer<typeof metadataSchema> => ({
  $correlationId: correlationId,
  ...(causationId !== null && { $causationId: causationId }),
  actorId,
  ...(reliedOn && { reliedOn }),
  occurredAt,
  v,
});

/** Returns the events of an append in the form in which EventStoreDB stores them. */
export const toProposed = ({ append, occurredAt, events }: WaitingAppend): ProposedEvent[] =>
  events.map(({ id, type, v, json }) => ({
    id,
    type,
    data: json,
    metadata: JSON.stringify(toStoredMetadata(append.metadata, occurredAt, v)),
  }));

/**
 * Decodes a record. Events of newer code become `UNKNOWN`. Throws `UnreadableEvent`, which names the
 * position, for a record that is not one of our events in a known shape.
 */
export function toRecorded(
  { metadata: stored, ...record }: StoredRecord,
  onUnknown: OnUnknown = () => {},
): Recorded {
  const { id, stream, revision, position } = record;
  const parsed = metadataSchema.safeParse(stored);
  try {
    if (!parsed.success)
      throw new UnreadableEvent(`${record.type}: ${parsed.error.issues[0]?.message ?? 'bad metadata'}`);
    const { $correlationId, $causationId = null, actorId, reliedOn, occurredAt, v: storedV } = parsed.data;
    const { type, data, v } = fromStored({ type: record.type, v: storedV, data: record.data });
    if (isUnknown({ type })) onUnknown({ type: record.type, v, position });
    const metadata: Metadata = {
      actorId,
      correlationId: $correlationId,
      causationId: $causationId,
      ...(reliedOn && { reliedOn }),
    };
    return { type, data, v, id, stream, revision, position, occurredAt, metadata } as Recorded;
  } catch (error) {
    if (!(error instanceof UnreadableEvent)) throw error;
    throw new UnreadableEvent(`the event at position ${position} cannot be read: ${error.message}`);
  }
}
