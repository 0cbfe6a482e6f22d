/** Returns a function that does the work, or returns what it last returned, or is about to, less than `ms` ago. */
export function reusedFor<T>(ms: number, work: () => Promise<T>): () => Promise<T> {
  let latest: { at: number; result: Promise<T> } | undefined;
  return () => {
    const at = performance.now();
    if (!latest || at - latest.at > ms) latest = { at, result: work() };
    return latest.result;
  };
}
