/**
 * A value that changes, for `useSyncExternalStore(store.subscribe, store.getSnapshot)` and for code without a
 * framework alike. The snapshot is never changed in place. Listeners are called once for all changes of one turn.
 */
export interface Store<T> {
  getSnapshot: () => T;
  /** Calls `listener` after each change, with the snapshot. Returns the function that ends that. */
  subscribe: (listener: (value: T) => void) => () => void;
}

export interface Writable<T> extends Store<T> {
  set: (next: T) => void;
  /** Forgets what there is, and begins anew for those who listen: it was another user's. */
  restart: () => void;
}

/** What belongs to the user who is logged in. */
export type Owned = Pick<Writable<unknown>, 'restart'>;

interface Watched {
  /** Called when the first listener comes. */
  onUsed?: () => void;
  /** Called once nobody has listened for a moment: a page that is drawn anew leaves and comes back. */
  onUnused?: () => void;
}

const LINGER_MS = 1_000;

export function createStore<T>(initial: T, { onUsed, onUnused }: Watched = {}): Writable<T> {
  const listeners = new Set<(value: T) => void>();
  let value = initial;
  let isTold = true;
  let isUsed = false;
  let leaving: ReturnType<typeof setTimeout> | undefined;

  function arrive(): void {
    clearTimeout(leaving);
    if (isUsed) return;
    isUsed = true;
    onUsed?.();
  }

  function leave(): void {
    leaving = setTimeout(() => {
      isUsed = false;
      onUnused?.();
    }, LINGER_MS);
  }

  function tell(): void {
    isTold = true;
    for (const listener of [...listeners]) listener(value);
  }

  return {
    getSnapshot: () => value,
    subscribe(listener) {
      // One function may listen twice.
      const own = (next: T) => listener(next);
      listeners.add(own);
      if (listeners.size === 1) arrive();
      return () => {
        if (listeners.delete(own) && listeners.size === 0) leave();
      };
    },
    restart() {
      clearTimeout(leaving);
      if (!isUsed) return;
      isUsed = false;
      onUnused?.();
      if (listeners.size > 0) arrive();
    },
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      if (!isTold) return;
      isTold = false;
      queueMicrotask(tell);
    },
  };
}
