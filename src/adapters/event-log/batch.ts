import {
  type Append,
  EventStoreUnavailable,
  type Guard,
  type Recorded,
  type Verdict,
  breaks,
} from '../../events/event-store.ts';
import type { DomainEvent } from '../../events/domain-event.ts';
import type { Stream } from '../../events/streams.ts';
import type { Seal, TextSeal } from '../../events/personal-text.ts';
import { sealedVersion, toStored } from '../../events/stored-events.ts';

const MAX_APPENDS = 512;
const MAX_SIZE = 1024 * 1024;

/** An append that is checked and written as JSON. */
export interface PreparedAppend {
  append: Append;
  /** RFC 3339 with milliseconds, as a read would return it. */
  occurredAt: string;
  /**
   * The events as a read would return them, without their positions and revisions; `storedV` and `json` are what is
   * stored of their versions and data.
   */
  events: { id: string; type: string; v: number; data: unknown; storedV: number; json: string }[];
  metadata: string;
  /** Number of characters of JSON. */
  size: number;
}

/** A queued append, with its promise. */
export interface WaitingAppend extends PreparedAppend {
  resolve: (verdict: Verdict | Promise<Verdict>) => void;
  reject: (error: Error) => void;
}

/**
 * Prepares an append, with its personal text sealed. Throws `UnreadableEvent` for an event that could not be
 * read back: it must not enter the log.
 */
export function prepare(append: Append, seal: Seal): PreparedAppend {
  const metadata = JSON.stringify(append.metadata);
  let size = 0;
  const events = append.events.map(({ id, event }, n) => {
    const shape = toStored(event);
    const { type, v, data } = shape;
    const stored = seal(shape, id, n);
    const json = JSON.stringify(stored);
    size += json.length + metadata.length;
    return { id, type, v, data, storedV: stored === data ? v : sealedVersion(v), json };
  });
  const occurredAt = new Date(append.occurredAt).toISOString();
  return { append, occurredAt, events, metadata, size };
}

/**
 * Returns a function that prepares the sealing of appends in the order of the calls: one that waits for its keys holds
 * up those after it.
 */
export function sealInOrder(textSeal: TextSeal): (append: Append) => Seal | Promise<Seal> {
  let before: Promise<void> | undefined;
  return (append) => {
    const sealing = textSeal.sealFor(append);
    if (!before && !(sealing instanceof Promise)) return sealing;
    const ready = Promise.all([sealing, before]).then(([seal]) => seal);
    const settled = ready.then(
      () => undefined,
      () => undefined,
    );
    before = settled;
    void settled.then(() => {
      if (before === settled) before = undefined;
    });
    return ready;
  };
}

/** Appends that go into the log in one transaction. Each is judged by the log as it is before the batch. */
export class AppendBatch {
  appends: WaitingAppend[] = [];
  size = 0;
  readonly #written = new Map<Stream, DomainEvent[]>();
  readonly #ids = new Set<string>();

  /**
   * Returns false when the append must wait for a later batch: this one is full, or contains what the append
   * depends on.
   */
  add(waiting: WaitingAppend): boolean {
    if (!this.#takes(waiting)) return false;
    this.appends.push(waiting);
    this.size += waiting.size;
    const { stream, events } = waiting.append;
    const written = this.#written.get(stream) ?? [];
    for (const { id, event } of events) {
      written.push(event);
      this.#ids.add(id);
    }
    this.#written.set(stream, written);
    return true;
  }

  #takes({ append, events, size }: WaitingAppend): boolean {
    if (this.appends.length === 0) return true;
    if (this.appends.length >= MAX_APPENDS || this.size + size > MAX_SIZE) return false;
    if (append.expected !== 'any' && this.#written.has(append.stream)) return false;
    const isBroken = (guard: Guard) => this.#written.get(guard.stream)?.some((event) => breaks(guard, event));
    if (append.guards?.some(isBroken)) return false;
    return !events.some(({ id }) => this.#ids.has(id));
  }

  /** Removes and returns the first appends, at most `most`. The rest may still grow. */
  take(most: number): WaitingAppend[] {
    const taken = this.appends.slice(0, most);
    this.appends = this.appends.slice(most);
    return taken;
  }

  reject(error: Error): void {
    for (const waiting of this.appends) waiting.reject(error);
  }
}

/** One row of the answer of append_events(). */
export type Answer = [
  outcome: Verdict['outcome'] | 'guard',
  position: number | null,
  revision: number | null,
  stream: string | null,
];

/** Returns the events of an append at the places that the log gave them. */
export function recorded(
  { append, occurredAt, events }: WaitingAppend,
  [, position, revision]: Answer,
): Recorded[] {
  const { stream, metadata } = append;
  return events.map(
    ({ id, type, v, data }, index) =>
      ({
        type,
        data,
        v,
        id,
        stream,
        revision: revision! + index,
        position: position! + index,
        occurredAt,
        metadata,
      }) as Recorded,
  );
}

export const unavailable = (message: string, cause?: unknown): EventStoreUnavailable =>
  new EventStoreUnavailable(message, { cause });
