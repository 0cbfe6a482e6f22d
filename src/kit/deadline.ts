/** Resolves with `promise`, or settles like `late()` once `milliseconds` have passed. */
export async function within<T>(
  promise: Promise<T>,
  milliseconds: number,
  late: () => T | Promise<T>,
): Promise<T> {
  const over = Promise.withResolvers<T>();
  const timer = setTimeout(() => void Promise.try(late).then(over.resolve, over.reject), milliseconds);
  try {
    return await Promise.race([promise, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
