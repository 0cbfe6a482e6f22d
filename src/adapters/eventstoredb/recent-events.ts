import { LRUCache } from 'lru-cache';
import { NO_STREAM, type Position, type Revision } from '../../events/event-store.ts';
import type { Stream } from '../../events/streams.ts';
import type { StoredRecord } from './client.ts';
import type { KnownId } from '../postgres/tables/event-ids.ts';

const MAX_STREAMS = 100_000;

interface Standing {
  revision: Revision;
  /** Position of its last event; 0 without events. */
  position: Position;
}

/**
 * The part of the log that this process has seen: the ids of all events between two positions, and the
 * revisions of streams. An event up to `head` is in here or in the index of ids, if the index is asked after
 * this.
 */
export class RecentEvents {
  readonly #ids = new Map<string, KnownId>();
  readonly #streams = new LRUCache<Stream, Standing>({ max: MAX_STREAMS });
  #base: Position = 0;
  #head: Position = 0;

  /** The position up to which the ids were left to the index. */
  get base(): Position {
    return this.#base;
  }

  /** The position up to which everything has been seen. */
  get head(): Position {
    return this.#head;
  }

  /** Number of remembered ids. */
  get size(): number {
    return this.#ids.size;
  }

  /** Forgets everything: the index has it all up to this position. */
  restart(position: Position): void {
    this.#ids.clear();
    this.#streams.clear();
    this.#base = position;
    this.#head = position;
  }

  /** Adds the next event of the log. */
  add({ id, stream, revision, position }: StoredRecord): void {
    this.#head = position;
    this.#ids.set(id, { id, stream, revision, position });
    this.learn(stream, { revision, position });
  }

  /** Forgets ids up to this position, because the index has them. */
  leaveToIndex(position: Position): void {
    if (position <= this.#base) return;
    this.#base = position;
    for (const known of this.#ids.values()) {
      if (known.position > position) return;
      this.#ids.delete(known.id);
    }
  }

  find(id: string): KnownId | undefined {
    return this.#ids.get(id);
  }

  /** Remembers a read of the stream's last event, which may be ahead of `head`. */
  learn(stream: Stream, standing: Standing = { revision: NO_STREAM, position: 0 }): void {
    const known = this.#streams.get(stream);
    if (!known || known.revision < standing.revision) this.#streams.set(stream, standing);
  }

  /**
   * Returns where a stream stands; undefined when that is unknown. Exact as of `head` if its position is not
   * ahead of that.
   */
  standing(stream: Stream): Standing | undefined {
    return this.#streams.get(stream);
  }
}
