import type { GrantScope } from '../events/audit.ts';
import { type EventType, eventSchemas } from '../events/domain-event.ts';
import type { Metadata } from '../events/event-store.ts';
import { ERASED, personalText } from '../events/personal-text.ts';
import { upcasters } from '../events/stored-events.ts';

export const REDACTED = '[redacted]';

/** An event in any shape, also one that newer code wrote. */
export interface AnyEvent {
  type: string;
  v: number;
  data: unknown;
  metadata: Pick<Metadata, 'actorId'>;
}

/** Decides whether the reader may see the personal text of an event. */
export type MayRead = (event: AnyEvent) => boolean;
export const nobodysText: MayRead = () => false;

const isKnown = ({ type, v }: AnyEvent): boolean =>
  Object.hasOwn(eventSchemas, type) && v <= (upcasters[type as EventType]?.length ?? 0) + 1;

const isObject = (data: unknown): data is Record<string, unknown> =>
  typeof data === 'object' && data !== null && !Array.isArray(data);

/** Returns a decision that follows the scope of a grant. */
export function within(scope: GrantScope): MayRead {
  return ({ type, data, metadata }) => {
    if (!isObject(data)) return false;
    if ('groupId' in scope) return data['groupId'] === scope.groupId;
    return personalText[type as EventType]?.of({ data: data as never, metadata }) === scope.userId;
  };
}

/** Returns true for text that is neither absent nor erased. */
const isKept = (text: unknown): boolean => (text ?? null) !== null && text !== ERASED;

/**
 * Returns the data of an event without personal text. Erased text is shown as erased. Which text in events of newer code
 * is personal is unknown, so all of their data is redacted.
 */
export function redacted(event: AnyEvent): unknown {
  const { type, data } = event;
  if (!isKnown(event)) return REDACTED;
  const { fields = [] } = personalText[type as EventType] ?? {};
  if (fields.length === 0) return data;
  if (!isObject(data)) return REDACTED;
  const shown = { ...data };
  for (const field of fields) if (isKept(shown[field])) shown[field] = REDACTED;
  return shown;
}
