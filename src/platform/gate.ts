import { DatabaseBusy } from './postgres.ts';

/** Runs work when its turn comes. Throws `DatabaseBusy` when that is not soon. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Lets so many pieces of work run at once. The others wait in order, each for `waitMs` at most; whoever would be one of more
 * than `maxWaiting` is refused at once.
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
  const waiting = new Set<() => void>();
  let running = 0;

  async function enter(): Promise<void> {
    if (running < atOnce) {
      running += 1;
      return;
    }
    if (waiting.size >= maxWaiting) throw new DatabaseBusy(`${maxWaiting} are waiting already`);
    const turn = Promise.withResolvers<void>();
    const comes = () => {
      clearTimeout(timer);
      turn.resolve();
    };
    const timer = setTimeout(() => {
      waiting.delete(comes);
      turn.reject(new DatabaseBusy(`no turn within ${waitMs} ms`));
    }, waitMs);
    waiting.add(comes);
    await turn.promise;
  }

  function leave(): void {
    const [next] = waiting;
    if (!next) {
      running -= 1;
      return;
    }
    waiting.delete(next);
    next();
  }

  return async (work) => {
    await enter();
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
