export interface Semaphore {
  /** Runs the work once a place is free. Rejects with the signal's reason when that aborts before. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Whether work that comes now would wait. */
  isFull(): boolean;
  /** How many pieces of work wait. */
  waiting(): number;
}

/** Runs so many pieces of work at once; the others wait in the order in which they came. */
export function createSemaphore(places: number): Semaphore {
  const waiting = new Set<() => void>();
  let taken = 0;

  function enter(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (taken < places) {
      taken += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        waiting.delete(begin);
        reject(signal?.reason);
      };
      waiting.add(begin);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  return {
    async run(work, signal) {
      await enter(signal);
      try {
        return await work();
      } finally {
        const [next] = waiting;
        if (next) {
          waiting.delete(next);
          next();
        } else taken -= 1;
      }
    },
    isFull: () => taken >= places,
    waiting: () => waiting.size,
  };
}
