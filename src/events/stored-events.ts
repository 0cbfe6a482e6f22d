import { type DomainEvent, type EventType, eventSchemas } from './domain-event.ts';
import { EventStoreUnavailable } from './event-store.ts';

/** The stored form of an event; `v` counts the shapes that a type's data has had. */
export interface StoredShape {
  type: string;
  v: number;
  data: unknown;
}

/**
 * The steps from retired shapes to the newest, by type: `upcasters.MessageSent[0]` converts version 1 to
 * version 2. The current version of a type is one more than its number of steps. A fixture of each retired
 * shape is kept in test/events/fixtures/.
 */
export const upcasters: Partial<Record<EventType, ((data: never) => unknown)[]>> = {
  // Version 2 may have no text: a caption was removed.
  MessageEdited: [(data) => data],
  // Version 2 may have the reason `erased`.
  FileRefused: [(data) => data],
  // Version 2 may be private. Code that does not know of that would let applicants into the team's room, or take them out
  // of their threads.
  JobPosted: [(data) => data],
  ApplicationSubmitted: [(data) => data],
  ApplicationWithdrawn: [(data) => data],
  ApplicationResubmitted: [(data) => data],
  ApplicationStatusChanged: [(data) => data],
  ApplicationReconsidered: [(data) => data],
};

export class UnreadableEvent extends Error {
  override readonly name = 'UnreadableEvent';
}

/** The text of the event is sealed with a key that is neither there nor destroyed. Only the operator can find it. */
export class KeyMissing extends UnreadableEvent {}

/**
 * Added to the stored version of an event whose personal text is sealed: code from before text was sealed takes it for an
 * event of newer code, and waits.
 */
const SEALED = 1_000;
export const sealedVersion = (v: number): number => v + SEALED;
/** Returns the version of the data's shape, given the stored version. */
export const shapeVersion = (v: number): number => (v >= SEALED ? v - SEALED : v);

/**
 * The type given to an event that newer code wrote; its `data` is the event as it is stored. No schema has
 * this name.
 */
export const UNKNOWN = 'Unknown';

const isEventType = (type: string): type is EventType => Object.hasOwn(eventSchemas, type);
const versionOf = (type: EventType) => (upcasters[type]?.length ?? 0) + 1;

/** Returns true for a type and version that this code can read. */
export const isKnown = ({ type, v }: Pick<StoredShape, 'type' | 'v'>): boolean =>
  isEventType(type) && v <= versionOf(type);

/** Newer code may have added a field to the same version. The field is kept and ignored. */
const readingSchemas = Object.fromEntries(
  Object.entries(eventSchemas).map(([type, schema]) => [type, schema.loose()]),
) as unknown as typeof eventSchemas;

/**
 * Returns an event in its stored form, with the newest shape. Throws `UnreadableEvent` for an event that must
 * not enter the log.
 */
export function toStored({ type, data }: DomainEvent): StoredShape {
  if (!isEventType(type)) throw new UnreadableEvent(`unknown event type ${String(type)}`);
  const v = versionOf(type);
  return { type, v, data: parsed(eventSchemas, { type, v, data }) };
}

/**
 * Returns a stored event in its newest shape, checked. The type is `UNKNOWN` if only newer code knows its
 * type or version. Throws `UnreadableEvent` on a bad version or shape.
 */
export function fromStored({ type, v, data }: StoredShape): DomainEvent & { v: number } {
  if (v < 1) throw new UnreadableEvent(`${type} has no version ${v}`);
  if (!isEventType(type) || v > versionOf(type))
    return { type: UNKNOWN, v, data: { type, v, data } } as unknown as DomainEvent & { v: number };
  const steps = upcasters[type] ?? [];
  const newest = steps.slice(v - 1).reduce<unknown>((older, step) => step(older as never), data);
  return {
    type,
    v: steps.length + 1,
    data: parsed(readingSchemas, { type, v, data: newest }),
  } as DomainEvent & { v: number };
}

function parsed(schemas: typeof eventSchemas, { type, v, data }: StoredShape & { type: EventType }): unknown {
  const result = schemas[type].safeParse(data);
  if (result.success) return result.data;
  throw new UnreadableEvent(`${type} v${v}: ${result.error.issues[0]?.message ?? 'bad shape'}`);
}

/** Returns true if newer code wrote the event, in a type or version that this code does not know. */
export const isUnknown = ({ type }: { type: string }): boolean => type === UNKNOWN;

/** Returns an event in its stored form, also one that this code does not know. */
export const asStored = (event: StoredShape): StoredShape =>
  isUnknown(event) ? (event.data as StoredShape) : event;

/**
 * The reader must understand the event to continue, and newer code wrote it. The reader continues once it is
 * upgraded.
 */
export class WrittenByNewerCode extends EventStoreUnavailable {
  constructor(event: StoredShape & { position: number }) {
    const { type, v } = asStored(event);
    super(`newer code wrote ${type} v${v} at position ${event.position}`);
  }
}

/** Throws `WrittenByNewerCode` when one of the events is unknown. */
export function requireKnown(events: readonly (StoredShape & { position: number })[]): void {
  const unknown = events.find(isUnknown);
  if (unknown) throw new WrittenByNewerCode(unknown);
}

/**
 * Returns the index of the first event that a reader of `types` must not skip although it does not understand
 * it: a newer version of a type that it handles. Returns -1 when there is none.
 */
export const firstBeyond = (events: readonly StoredShape[], types: ReadonlySet<string>): number =>
  types.has(UNKNOWN) ? -1 : events.findIndex((event) => isUnknown(event) && types.has(asStored(event).type));
