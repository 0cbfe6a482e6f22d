export interface Semaphore {
  /** Runs `work` once a place is free. Rejects with the signal's reason if the signal aborts before that. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Returns true if new work would have to wait. */
  isFull(): boolean;
  /** Returns the number of waiting pieces of work. */
  waiting(): number;
}

/** Creates a semaphore that runs `places` pieces of work at once. The others wait in order of arrival. */
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
