import type { Stream } from '../events/streams.ts';

/** Runs one piece of work at a time per stream, first come, first served. */
export type InTurn = <T>(stream: Stream, work: () => Promise<T>) => Promise<T>;

/**
 * Work that fails rejects for its own caller only. `last` holds the last turn of each stream in work, and nothing of
 * the others.
 */
export function createInTurn(last = new Map<Stream, Promise<unknown>>()): InTurn {
  return <T>(stream: Stream, work: () => Promise<T>): Promise<T> => {
    const before = last.get(stream) ?? Promise.resolve();
    const turn: Promise<T> = before
      .then(work, work)
      .finally(() => last.get(stream) === turn && last.delete(stream));
    last.set(stream, turn);
    return turn;
  };
}
