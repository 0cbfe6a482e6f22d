import { type DomainEvent, type EventType, eventSchemas } from './domain-event.ts';

/** What a store keeps of an event; `v` counts the shapes that a type's data has had. */
export interface StoredShape {
  type: string;
  v: number;
  data: unknown;
}

/**
 * The steps from retired shapes to the newest, by type: `upcasters.MessageSent[0]` takes version 1 to version 2.
 * A type's current version is one more than its number of steps. A fixture of each retired shape stays in
 * test/events/fixtures/.
 */
export const upcasters: Partial<Record<EventType, ((data: never) => unknown)[]>> = {};

export class UnreadableEvent extends Error {
  override readonly name = 'UnreadableEvent';
}

const isEventType = (type: string): type is EventType => Object.hasOwn(eventSchemas, type);
const versionOf = (type: EventType) => (upcasters[type]?.length ?? 0) + 1;

/** The newest shape of an event, as it is stored. */
export const toStored = ({ type, data }: DomainEvent): StoredShape => ({ type, v: versionOf(type), data });

/** A stored event in its newest shape, checked. Throws `UnreadableEvent` on an unknown type, version or shape. */
export function fromStored({ type, v, data }: StoredShape): DomainEvent & { v: number } {
  if (!isEventType(type)) throw new UnreadableEvent(`unknown event type ${type}`);
  const steps = upcasters[type] ?? [];
  if (v < 1 || v > steps.length + 1) throw new UnreadableEvent(`${type} has no version ${v}`);
  const newest = steps.slice(v - 1).reduce<unknown>((older, step) => step(older as never), data);
  const parsed = eventSchemas[type].safeParse(newest);
  if (!parsed.success)
    throw new UnreadableEvent(`${type} v${v}: ${parsed.error.issues[0]?.message ?? 'bad shape'}`);
  return { type, v: steps.length + 1, data: parsed.data } as DomainEvent & { v: number };
}
