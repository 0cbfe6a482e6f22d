import type { StoredEvent } from '../events/event-store.ts';
import { type Category, type Stream, categoryOf } from '../events/streams.ts';
import { metadataOf } from './line.ts';

/** Which events of the log are asked for. All that is given must hold. */
export interface EventFilter {
  stream?: Stream | undefined;
  category?: Category | undefined;
  types?: readonly string[] | undefined;
  /** The id of the acting user; null for the system. */
  actor?: string | null | undefined;
  correlation?: string | undefined;
  /** RFC 3339 in UTC with milliseconds, of `occurredAt`: from here on, and before there. */
  from?: string | undefined;
  to?: string | undefined;
}

/** Returns true if the filter leaves an event in. */
export function matches(filter: EventFilter, event: StoredEvent): boolean {
  const { stream, category, types, actor, correlation, from, to } = filter;
  if (stream !== undefined && event.stream !== stream) return false;
  if (category !== undefined && categoryOf(event.stream) !== category) return false;
  if (types && !types.includes(event.type)) return false;
  if (from !== undefined && event.occurredAt < from) return false;
  if (to !== undefined && event.occurredAt >= to) return false;
  if (actor === undefined && correlation === undefined) return true;
  const { actorId, correlationId } = metadataOf(event);
  return (
    (actor === undefined || actorId === actor) && (correlation === undefined || correlationId === correlation)
  );
}
