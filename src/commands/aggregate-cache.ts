import type { EventType } from '../events/domain-event.ts';
import {
  type EventStore,
  NO_STREAM,
  type Position,
  type Recorded,
  type Revision,
} from '../events/event-store.ts';
import { isUnknown, requireKnown } from '../events/stored-events.ts';
import type { Stream } from '../events/streams.ts';
import type { Aggregate, AggregateRef } from './command.ts';

/** A folded stream, and the place up to which it is folded. */
export interface Folded<S = unknown> {
  state: S;
  revision: Revision;
  /** Position of the last event folded; 0 without one. */
  position: Position;
  /** The id of the last event of each type. */
  latest: ReadonlyMap<EventType, string>;
  /** Set when events of the stream are missing. The state is then that of a stream without events. */
  isDamaged?: true;
}

/** Loads a state, from the cache or from the log. */
export type Load = <S>(ref: AggregateRef<S>) => Folded<S> | Promise<Folded<S>>;

/** A cache of folded streams. Any bounded map will do, since a lost entry is only folded again. */
export interface FoldCache {
  get(stream: Stream): Folded | undefined;
  set(stream: Stream, folded: Folded): unknown;
  delete(stream: Stream): unknown;
}

const PAGE = 1_000;

const empty = <S>({ initial }: Aggregate<S, never>): Folded<S> => ({
  state: initial,
  revision: NO_STREAM,
  position: 0,
  latest: new Map(),
});

function fold<S>(aggregate: Aggregate<S, never>, from: Folded<S>, events: readonly Recorded[]): Folded<S> {
  const last = events.at(-1);
  if (!last) return from;
  const { revision, position } = last;
  const isWhole = events.every((event, index) => event.revision === from.revision + 1 + index);
  if (from.isDamaged || !isWhole) return { ...empty(aggregate), revision, position, isDamaged: true };
  requireKnown(events);
  const { evolve } = aggregate;
  const latest = new Map(from.latest);
  for (const { type, id } of events) latest.set(type, id);
  const state = events.reduce((so, event) => evolve(so, event as never), from.state);
  return { state, revision, position, latest };
}

/**
 * Loads states by folding their streams, starting from the cached state. A cached state may be behind the
 * log: that is safe, because every decision is checked against the revision that it relied on. Throws
 * `WrittenByNewerCode` for a stream with an event that this code does not know. A damaged stream has no state:
 * a missing event may have removed a member.
 */
export class AggregateLoader {
  readonly #store: EventStore;
  readonly #cache: FoldCache;
  readonly #loading = new Map<Stream, Promise<Folded>>();
  /** The reads of the log that are under way. What one began to read before its stream was forgotten is not kept. */
  readonly #reading = new Map<Stream, Set<symbol>>();

  constructor(store: EventStore, cache: FoldCache) {
    this.#store = store;
    this.#cache = cache;
  }

  /** Returns the cached state. Reads the log only when there is none; concurrent callers share one read. */
  load<S>(ref: AggregateRef<S>): Folded<S> | Promise<Folded<S>> {
    const { stream } = ref;
    const known = this.#cache.get(stream) ?? this.#loading.get(stream);
    if (known) return known as Folded<S> | Promise<Folded<S>>;
    const loading = this.refresh(ref).finally(() => {
      if (this.#loading.get(stream) === loading) this.#loading.delete(stream);
    });
    this.#loading.set(stream, loading);
    return loading;
  }

  /** Returns the cached state, or that of a stream without events, without reading the log. */
  guess<S>({ stream, aggregate }: AggregateRef<S>): Folded<S> {
    return (this.#cache.get(stream) as Folded<S> | undefined) ?? empty(aggregate);
  }

  /** Resolves with the current state of the log. */
  async refresh<S>({ stream, aggregate }: AggregateRef<S>): Promise<Folded<S>> {
    const cached = this.#cache.get(stream) as Folded<S> | undefined;
    let folded = cached ?? empty(aggregate);
    const read = Symbol(stream);
    const reads = this.#reading.get(stream) ?? new Set();
    this.#reading.set(stream, reads.add(read));
    try {
      for (;;) {
        const events = await this.#store.readStream(stream, { from: folded.revision + 1, limit: PAGE });
        folded = fold(aggregate, folded, events);
        if (events.length < PAGE) break;
      }
      if (reads.has(read)) this.#keep(stream, folded);
    } finally {
      reads.delete(read);
      if (reads.size === 0 && this.#reading.get(stream) === reads) this.#reading.delete(stream);
    }
    return folded;
  }

  /** Adds appended events to the cached state, if they follow directly on it. */
  absorb<S>({ stream, aggregate }: AggregateRef<S>, events: readonly Recorded[]): void {
    if (events.some(isUnknown)) return this.forget({ stream });
    const cached = (this.#cache.get(stream) as Folded<S> | undefined) ?? empty(aggregate);
    if (events[0]?.revision === cached.revision + 1) this.#keep(stream, fold(aggregate, cached, events));
  }

  /** Drops the cached state: the next load reads the log. */
  forget({ stream }: Pick<AggregateRef<unknown>, 'stream'>): void {
    this.#cache.delete(stream);
    this.#loading.delete(stream);
    this.#reading.get(stream)?.clear();
    this.#reading.delete(stream);
  }

  #keep(stream: Stream, folded: Folded): void {
    const cached = this.#cache.get(stream);
    // That a stream has no events is worth keeping too: most companies never get one, and each message asks.
    if (!cached || folded.revision > cached.revision) this.#cache.set(stream, folded);
  }
}
