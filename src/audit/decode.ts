import type { EventStore, Position, Recorded, Revision, StoredEvent } from '../events/event-store.ts';
import { UnreadableEvent } from '../events/stored-events.ts';
import type { Stream } from '../events/streams.ts';
import type { OpenText } from './line.ts';

/** Revisions of one stream that are read together, with a few others between them. */
interface Run {
  stream: Stream;
  from: Revision;
  to: Revision;
}
/** Number of events in between that cost less than another read. */
const BETWEEN = 50;
/** Number of reads at a time. */
const AT_ONCE = 4;

function runsOf(events: readonly StoredEvent[]): Run[] {
  const runs: Run[] = [];
  const last = new Map<Stream, Run>();
  for (const { stream, revision } of events) {
    const run = last.get(stream);
    if (run && revision - run.to <= BETWEEN) run.to = revision;
    else {
      const next = { stream, from: revision, to: revision };
      last.set(stream, next);
      runs.push(next);
    }
  }
  return runs;
}

/**
 * Returns a decoder that reads the events again, through the log's normal reading, which knows how their text is
 * kept. An event that cannot be read stays redacted.
 */
export function decodeWith({ readStream }: Pick<EventStore, 'readStream'>): OpenText['decode'] {
  const read = ({ stream, from, to }: Run) =>
    readStream(stream, { from, limit: to - from + 1 }).catch((error: unknown): Recorded[] => {
      if (error instanceof UnreadableEvent) return [];
      throw error;
    });
  return async (events) => {
    const wanted = new Set(events.map(({ position }) => position));
    const readable = new Map<Position, Recorded>();
    const runs = runsOf(events).values();
    const takeFromQueue = async () => {
      for (const run of runs)
        for (const event of await read(run))
          if (wanted.has(event.position)) readable.set(event.position, event);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, takeFromQueue));
    return readable;
  };
}
