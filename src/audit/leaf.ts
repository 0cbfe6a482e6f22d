import { hash } from 'node:crypto';
import type { EventStore, Position, StoredEvent } from '../events/event-store.ts';
import { type Hash, sha256 } from './merkle.ts';

/** An event without its contents, which may be personal: their hashes, in hexadecimal, stand for them. */
export type SealedEvent = Omit<StoredEvent, 'data' | 'metadata'> & {
  dataSha256: string;
  metadataSha256: string;
};

/** Returns the event with its contents hashed as they are stored. They are never decoded. */
export const toSealed = ({ data, metadata, ...rest }: StoredEvent): SealedEvent => ({
  ...rest,
  dataSha256: hash('sha256', data),
  metadataSha256: hash('sha256', metadata),
});

/** A netstring: its length says where a field ends, so that no two events have the same bytes. */
const field = (value: string | number): string => {
  const text = String(value);
  return `${Buffer.byteLength(text)}:${text},`;
};

/**
 * Returns the bytes of a leaf as text, to be read as UTF-8: one netstring for each field, in this order. It is described
 * in docs/audit.md and never changes.
 */
export const leafText = (event: SealedEvent): string =>
  field(event.position) +
  field(event.stream) +
  field(event.revision) +
  field(event.id) +
  field(event.type) +
  field(event.v) +
  field(event.occurredAt) +
  field(event.recordedAt ?? '') +
  field(event.dataSha256) +
  field(event.metadataSha256);

/** Returns the hash of an event's leaf. */
export const sealedLeaf = (event: SealedEvent): Hash => sha256(`\u0000${leafText(event)}`);
export const leafOf = (event: StoredEvent): Hash => sealedLeaf(toSealed(event));

/** Resolves with the leaves of events after a position, in the order of the log, at most `limit`. */
export type ReadLeaves = (options: {
  after: Position;
  limit: number;
}) => Promise<{ position: Position; leaf: Hash }[]>;

/** Creates a reading of leaves that makes them from the stored events. */
export const leavesOf =
  ({ readStored }: Pick<EventStore, 'readStored'>): ReadLeaves =>
  async (options) =>
    (await readStored(options)).map((event) => ({ position: event.position, leaf: leafOf(event) }));
