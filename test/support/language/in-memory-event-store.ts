import {
  type Append,
  type EventStore,
  type Guard,
  MOST_BEHIND,
  NO_STREAM,
  type Recorded,
  type Verdict,
  breaks,
} from '../../../src/events/event-store.ts';
import { fromStored, toStored } from '../../../src/events/stored-events.ts';
import type { Stream } from '../../../src/events/streams.ts';

/** A log in memory with the contract of a store, for tests of its users. */
export function createInMemoryEventStore(): EventStore {
  const log: Recorded[] = [];
  const recordedAt = new Map<number, string>();
  const byId = new Map<string, Recorded>();
  const revisions = new Map<Stream, number>();
  const waiting = new Set<() => void>();

  const revisionOf = (stream: Stream) => revisions.get(stream) ?? NO_STREAM;

  function judge({ stream, events, expected, guards = [] }: Append): Verdict | undefined {
    const known = events.flatMap(({ id }) => byId.get(id) ?? []);
    if (known.length > 0) return { outcome: 'duplicate', events: structuredClone(known) };
    const needs: Guard[] = expected === 'any' ? guards : [{ stream, revision: expected }, ...guards];
    const missed = needs.find((need) => revisionOf(need.stream) !== need.revision && isBroken(need));
    return missed && { outcome: 'conflict', stream: missed.stream, actual: revisionOf(missed.stream) };
  }

  function isBroken(guard: Guard): boolean {
    const behind = revisionOf(guard.stream) - guard.revision;
    if (guard.about === undefined || behind < 0 || behind > MOST_BEHIND) return true;
    return log.some(
      (event) => event.stream === guard.stream && event.revision > guard.revision && breaks(guard, event),
    );
  }

  function record({ stream, events, occurredAt, metadata }: Append): Recorded[] {
    return events.map(({ id, event }) => {
      const entry = {
        ...fromStored(structuredClone(toStored(event))),
        id,
        stream,
        revision: revisionOf(stream) + 1,
        position: log.length + 1,
        occurredAt: new Date(occurredAt).toISOString(),
        metadata: structuredClone(metadata),
      } as Recorded;
      log.push(entry);
      recordedAt.set(entry.position, new Date().toISOString());
      byId.set(id, entry);
      revisions.set(stream, entry.revision);
      return entry;
    });
  }

  const read = (events: Recorded[]) => structuredClone(events);

  return {
    async append(append) {
      const refused = judge(append);
      if (refused) return refused;
      const events = record(append);
      for (const wake of waiting) wake();
      return { outcome: 'appended', events: read(events) };
    },

    async readStream(stream, { from = 0, limit = 1_000 } = {}) {
      return read(log.filter((event) => event.stream === stream && event.revision >= from).slice(0, limit));
    },

    async readAll({ after, limit, types }) {
      const wanted = log.slice(after).filter(({ type }) => !types || types.includes(type));
      return read(wanted.slice(0, limit));
    },

    async readStored({ after, limit }) {
      return log.slice(after, after + limit).map(({ data, metadata, ...event }) => ({
        ...event,
        recordedAt: recordedAt.get(event.position)!,
        data: JSON.stringify(data),
        metadata: JSON.stringify(metadata),
      }));
    },

    async find(id) {
      return structuredClone(byId.get(id));
    },

    async head() {
      return log.length;
    },

    async revisions(streams) {
      return new Map(streams.filter((s) => revisions.has(s)).map((s) => [s, revisionOf(s)]));
    },

    async *subscribe({ after, limit = 1_000, types, onPosition, signal }) {
      let position = after;
      while (!signal.aborted) {
        const page = log.slice(position, position + limit);
        const events = page.filter(({ type }) => !types || types.includes(type));
        position += page.length;
        if (events.length > 0) yield read(events);
        if (page.length > 0) continue;
        if (position === after) {
          await nextAppend(signal);
          continue;
        }
        after = position;
        onPosition?.(position);
      }
    },
  };

  function nextAppend(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}
