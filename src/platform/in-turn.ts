/** Runs one piece of work at a time about the same thing, such as a stream, first come, first served. */
export type InTurn = <T>(what: string, work: () => Promise<T>) => Promise<T>;

/**
 * Work that fails rejects for its own caller only. `last` holds the last turn of each thing in work, and nothing of
 * the others.
 */
export function createInTurn(last = new Map<string, Promise<unknown>>()): InTurn {
  return <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const before = last.get(what) ?? Promise.resolve();
    const turn: Promise<T> = before
      .then(work, work)
      .finally(() => last.get(what) === turn && last.delete(what));
    last.set(what, turn);
    return turn;
  };
}
