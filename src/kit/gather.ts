/** Keys of one call. */
const MOST = 1_000;

/**
 * Makes one call of `ask` out of many single ones: what is asked for in one turn, or while a call is under way, goes together
 * in the next. Each answer is at least as new as its question, because a call never answers a question asked after it began.
 * A key that `ask` leaves out resolves with undefined; when `ask` rejects, so do all of its keys.
 */
export function gather<K, V>(
  ask: (keys: K[]) => Promise<ReadonlyMap<K, V>>,
  most = MOST,
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
    // Everything that this turn of the event loop brings may go together.
    await Promise.resolve();
    while (waiting.size > 0) {
      const asked = new Map([...waiting].slice(0, most));
      waiting = new Map([...waiting].slice(most));
      await answer(asked);
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
