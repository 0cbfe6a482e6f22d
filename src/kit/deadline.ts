/** What a promise comes to; what `late` gives, or throws, when that takes longer than so many milliseconds. */
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
