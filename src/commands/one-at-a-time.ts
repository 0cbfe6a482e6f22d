import { EventStoreUnavailable } from '../events/event-store.ts';

/** Runs one piece of work at a time for each key, such as a stream, in order of arrival. */
export type OneAtATime = <T>(what: string, work: () => Promise<T>) => Promise<T>;

/** By then the caller has got the answer that the outcome is unknown (docs/promises.md no. 7). */
const LATE_MS = 4_000;

/**
 * Creates a queue for each key. Work whose turn comes too late does not begin: it rejects with
 * `EventStoreUnavailable`. Work that fails rejects for its own caller only. `last` holds the last turn of
 * each key in use.
 */
export function createOneAtATime(last = new Map<string, Promise<unknown>>(), lateMs = LATE_MS): OneAtATime {
  return <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const before = last.get(what) ?? Promise.resolve();
    const came = performance.now();
    const begin = () => {
      if (performance.now() - came > lateMs) throw new EventStoreUnavailable('its turn came too late');
      return work();
    };
    const turn: Promise<T> = before
      .then(begin, begin)
      .finally(() => last.get(what) === turn && last.delete(what));
    last.set(what, turn);
    return turn;
  };
}
