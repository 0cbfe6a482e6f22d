interface LaneOptions<K, V> {
  work: (key: K, value: V) => Promise<void>;
  /** Called when the work on one key fails. The next one goes on. */
  failed: (error: unknown) => void;
  /** Number of keys that may wait. Beyond it the oldest is forgotten. */
  most: number;
  /** Joins two values of one key that wait; by default the later one remains. */
  join?: (waiting: V, next: V) => V;
}

/**
 * Returns the function that puts work into a lane of its own: beside the deliveries, which never wait for it, one key
 * after the other, and of each key what has come since together. So the work costs at most one thing at a time, however
 * many ask for it. It is for hints only, which may be lost.
 */
export function createLane<K, V>({
  work,
  failed,
  most,
  join = (_waiting, next) => next,
}: LaneOptions<K, V>): (key: K, value: V) => void {
  const waiting = new Map<K, V>();
  let isWorking = false;

  async function workThrough(): Promise<void> {
    isWorking = true;
    for (const [key, value] of waiting) {
      waiting.delete(key);
      await work(key, value).catch(failed);
    }
    isWorking = false;
  }

  return (key, value) => {
    const before = waiting.get(key);
    waiting.set(key, before === undefined ? value : join(before, value));
    const [oldest] = waiting.keys();
    if (waiting.size > most && oldest !== undefined) waiting.delete(oldest);
    if (!isWorking) void workThrough();
  };
}
