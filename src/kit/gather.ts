import { setTimeout as pause } from 'node:timers/promises';

interface Options {
  /** Number of keys in one call; default 1,000. */
  most?: number;
  /** Time between two calls, in milliseconds, in which more requests gather; default 0. */
  restMs?: number;
}

/**
 * Combines many single requests into few calls of `ask`: keys requested in one turn, or while a call is under
 * way, go together in the next call. Each answer is at least as new as its request, because a call never
 * answers a request that came after it began. A key that `ask` leaves out resolves with undefined. When `ask`
 * rejects, all of its keys reject.
 */
export function gather<K, V>(
  ask: (keys: K[]) => Promise<ReadonlyMap<K, V>>,
  { most = 1_000, restMs = 0 }: Options = {},
): (key: K) => Promise<V | undefined> {
  let waiting = new Map<K, PromiseWithResolvers<V | undefined>>();
  let isAsking = false;

  async function answer(asked: Map<K, PromiseWithResolvers<V | undefined>>): Promise<void> {
    try {
      const answers = await ask([...asked.keys()]);
      for (const [key, { resolve }] of asked) resolve(answers.get(key));
    } catch (error) {
      for (const { reject } of asked.values()) reject(error);
    }
  }

  async function askAll(): Promise<void> {
    isAsking = true;
    // Requests of the same turn of the event loop go together.
    await Promise.resolve();
    while (waiting.size > 0) {
      const asked = new Map([...waiting].slice(0, most));
      waiting = new Map([...waiting].slice(most));
      await answer(asked);
      if (restMs > 0) await pause(restMs);
    }
    isAsking = false;
  }

  return (key) => {
    const known = waiting.get(key) ?? Promise.withResolvers();
    waiting.set(key, known);
    if (!isAsking) void askAll();
    return known.promise;
  };
}

/**
 * Shares calls of `ask` in the same way: calls made while one is under way share the next one, which begins after all
 * of them.
 */
export function share<T>(ask: () => Promise<T>, options?: Pick<Options, 'restMs'>): () => Promise<T> {
  const asked = gather<'once', { answer: T }>(
    async () => new Map([['once', { answer: await ask() }]]),
    options,
  );
  return async () => (await asked('once'))!.answer;
}
