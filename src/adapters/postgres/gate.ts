import { createSemaphore } from '../../kit/semaphore.ts';
import { DatabaseBusy } from './connection.ts';

export interface Gate {
  /** Runs work when its turn comes. Throws `DatabaseBusy` when that takes too long. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Returns the number of waiting pieces of work. */
  waiting(): number;
}

/**
 * Lets `atOnce` pieces of work run at once. Up to `maxWaiting` others wait in order, each for at most
 * `waitMs` milliseconds; further ones are refused at once.
 */
export function createGate({
  atOnce,
  maxWaiting,
  waitMs,
}: {
  atOnce: number;
  maxWaiting: number;
  waitMs: number;
}): Gate {
  const places = createSemaphore(atOnce);
  return {
    waiting: places.waiting,
    async run(work) {
      if (!places.isFull()) return places.run(work);
      if (places.waiting() >= maxWaiting) throw new DatabaseBusy(`${maxWaiting} are waiting already`);
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(new DatabaseBusy(`no turn within ${waitMs} ms`)), waitMs);
      const begin = () => {
        clearTimeout(timer);
        return work();
      };
      return places.run(begin, late.signal);
    },
  };
}
