import type { Position, Recorded, StoredEvent, Via } from '../events/event-store.ts';
import { asStored, shapeVersion } from '../events/stored-events.ts';
import { type AnyEvent, type MayRead, redacted } from './redact.ts';

/** An event as auditors see it. */
export interface Line {
  /** Opaque. */
  position: string;
  id: string;
  stream: string;
  revision: number;
  type: string;
  v: number;
  occurredAt: string;
  recordedAt: string | null;
  actorId: string | null;
  correlationId: string | null;
  causationId: string | null;
  /** The client that acted for the actor; absent without one. */
  via?: Via;
  data: unknown;
}

interface Origin {
  actorId: string | null;
  correlationId: string | null;
  causationId: string | null;
  via?: Via;
}

/** Returns the origin of a stored event. The names with a dollar are EventStoreDB's own. */
export function metadataOf({ metadata }: Pick<StoredEvent, 'metadata'>): Origin {
  const stored = (parseJson(metadata) ?? {}) as Record<string, unknown>;
  const first = (...names: string[]) =>
    names.map((name) => stored[name]).find((each) => typeof each === 'string');
  return {
    actorId: (first('actorId') as string | undefined) ?? null,
    correlationId: (first('correlationId', '$correlationId') as string | undefined) ?? null,
    causationId: (first('causationId', '$causationId') as string | undefined) ?? null,
    ...viaOf(stored['via']),
  };
}

/** Returns the client of stored metadata, which somebody else may have written into the log. */
function viaOf(stored: unknown): { via?: Via } {
  const clientId = (stored as Partial<Via> | null | undefined)?.clientId;
  return typeof clientId === 'string' ? { via: { clientId } } : {};
}

/** Returns the value; undefined for text that is not JSON, which somebody else wrote into the log. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** What the log says about events to those who may read them, by position. */
export type Readable = ReadonlyMap<Position, Pick<Recorded, 'v' | 'data'>>;

/** Whose personal text is shown, and how to read it. */
export interface OpenText {
  mayRead: MayRead;
  /** Resolves with the events in their readable form. Those that cannot be read are left out. */
  decode: (events: readonly StoredEvent[]) => Promise<Readable>;
}

/**
 * Resolves with the events as lines. Stored text is never shown as it is stored: it is redacted, or decoded for
 * those who may read it.
 */
export async function toLines(events: readonly StoredEvent[], open?: OpenText): Promise<Line[]> {
  const parsed = events.map((event) => {
    const origin = metadataOf(event);
    const any = { ...event, v: shapeVersion(event.v), data: parseJson(event.data), metadata: origin };
    return { event, origin, any };
  });
  const covered = open ? parsed.filter(({ any }) => open.mayRead(any)).map(({ event }) => event) : [];
  const readable = covered.length > 0 ? await open!.decode(covered) : undefined;
  return parsed.map(({ event, origin, any }) =>
    lineOf(event, origin, readable?.get(event.position) ?? hidden(any)),
  );
}

const hidden = (event: AnyEvent) => ({ v: event.v, data: redacted(event) });

/** Returns a decoded event as a line. Only the store knows when it was recorded. */
export function toLine(event: Recorded, mayRead: MayRead): Line {
  const { type, v, data } = asStored(event);
  const shown = mayRead(event) ? { v, data } : hidden({ type, v, data, metadata: event.metadata });
  return lineOf({ ...event, type, recordedAt: null }, event.metadata, shown);
}

const lineOf = (
  {
    position,
    id,
    stream,
    revision,
    type,
    occurredAt,
    recordedAt,
  }: Omit<StoredEvent, 'v' | 'data' | 'metadata'>,
  { actorId, correlationId, causationId, via }: Origin,
  { v, data }: { v: number; data: unknown },
): Line => ({
  ...{ position: String(position), id, stream, revision, type, v, occurredAt, recordedAt },
  ...{ actorId, correlationId, causationId, ...(via && { via }), data },
});
