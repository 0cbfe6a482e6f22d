/** Runs so many pieces of work at once; the others wait in line, or leave it when their signal aborts. */
export function createPlaces(places: number) {
  const waiting = new Set<() => void>();
  let taken = 0;
  const place = (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (taken < places) {
      taken += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        waiting.delete(enter);
        reject(signal.reason);
      };
      waiting.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  };
  return async <T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    await place(signal);
    try {
      return await work();
    } finally {
      const [next] = waiting;
      if (next) {
        waiting.delete(next);
        next();
      } else taken -= 1;
    }
  };
}
