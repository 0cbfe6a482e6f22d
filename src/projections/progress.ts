import type { Position } from '../events/event-store.ts';
import { sleep } from '../kit/back-off.ts';
import type { Progress } from './projection.ts';

interface Waiter {
  position: Position;
  names: readonly string[];
  resolve: (isReached: boolean) => void;
}

/** Interval at which checkpoints of projections in other processes are read, while a caller waits for them. */
const POLL_MS = 25;

/**
 * Tracks the progress of projections. The projections of this process report theirs; `poll`, if given, reads
 * that of others.
 */
export class ProjectionProgress implements Progress {
  readonly #names: readonly string[];
  readonly #positions: Map<string, Position>;
  readonly #waiters = new Set<Waiter>();
  /** Ends the rest of each projection that rests. */
  readonly #resting = new Map<string, AbortController>();
  readonly #poll: (() => Promise<ReadonlyMap<string, Position>>) | undefined;
  #isPolling = false;

  /** `names` are the read models that queries wait for. */
  constructor(names: readonly string[], poll?: () => Promise<ReadonlyMap<string, Position>>) {
    this.#names = names;
    this.#positions = new Map(names.map((name) => [name, 0]));
    this.#poll = poll;
  }

  /**
   * Sets the position of a read model. It may go back: to a model that was kept, or to one that was rebuilt
   * from an earlier position.
   */
  advance(name: string, position: Position): void {
    this.#positions.set(name, position);
    for (const waiter of this.#waiters) if (this.#isReached(waiter)) waiter.resolve(true);
  }

  positions(): ReadonlyMap<string, Position> {
    return this.#positions;
  }

  reached(position: Position, timeoutMs: number, names: readonly string[] = this.#names): Promise<boolean> {
    if (this.#isReached({ position, names })) return Promise.resolve(true);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, timeoutMs, false);
    const waiter = { position, names, resolve };
    this.#waiters.add(waiter);
    for (const name of names) this.#resting.get(name)?.abort();
    void this.#pollWhileAwaited();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    });
  }

  /**
   * Resolves after `milliseconds`, for a projection that waits for more events. Resolves early when the signal aborts, and
   * when a caller waits for the projection.
   */
  async rest(name: string, milliseconds: number, signal: AbortSignal): Promise<void> {
    const position = this.#positions.get(name) ?? 0;
    for (const waiter of this.#waiters) if (waiter.names.includes(name) && waiter.position > position) return;
    const awaited = new AbortController();
    this.#resting.set(name, awaited);
    await sleep(milliseconds, AbortSignal.any([signal, awaited.signal]));
    this.#resting.delete(name);
  }

  #isReached({ position, names }: Omit<Waiter, 'resolve'>): boolean {
    return names.every((name) => (this.#positions.get(name) ?? 0) >= position);
  }

  async #pollWhileAwaited(): Promise<void> {
    if (!this.#poll || this.#isPolling) return;
    this.#isPolling = true;
    while (this.#waiters.size > 0) {
      // If the poll fails, nothing advances, and callers get false when their time is up.
      const positions = await this.#poll().catch(() => new Map<string, Position>());
      for (const [name, position] of positions) this.advance(name, position);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    this.#isPolling = false;
  }
}
