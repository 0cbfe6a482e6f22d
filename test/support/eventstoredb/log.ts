import { EventEmitter } from 'node:events';

/** An event as the stand-in stores it. */
export interface StoredEvent {
  id: string;
  stream: string;
  revision: number;
  /** Commit and prepare position, which are equal for a single append, as on the real server. */
  position: number;
  type: string;
  contentType: string;
  data: Uint8Array;
  metadata: Uint8Array;
  /** 100 ns ticks since 1970. */
  created: bigint;
}

export type ProposedEvent = Pick<StoredEvent, 'id' | 'type' | 'contentType' | 'data' | 'metadata'>;
export type Expected = number | 'any' | 'no_stream' | 'stream_exists';

export type Decision =
  /** Stored now or, when the ids are known, before: the answer is the same. */
  | { is: 'stored'; last: StoredEvent }
  | { is: 'wrongExpectedVersion'; current: number }
  | { is: 'streamDeleted' }
  | { is: 'tooLarge'; limit: number };

export interface LogOptions {
  /** The largest append in bytes; 1 MiB is the default of a server of version 25. */
  maxAppendSize?: number;
  /** The number of ids that are remembered for appends at any revision. */
  recentIds?: number;
  /** The number of appends after which the server writes an event of its own. */
  systemEventEvery?: number;
}

const NONE = -1;
/** The revision of a tombstone; 2^63 - 1 on the real server. */
const LAST_REVISION = 2 ** 63;
/** The approximate overhead of a record in the real log besides data, metadata and names. */
const RECORD_OVERHEAD = 92;
const EMPTY = new Uint8Array();

/**
 * The log of the stand-in, with the decisions of the real server's IndexWriter.CheckCommit
 * (src/KurrentDB.Core/Services/Storage/ReaderIndex/IndexWriter.cs), in memory.
 */
export class StandInLog {
  readonly events: StoredEvent[] = [];
  /** Emits `ring` when there is more to read, or when a reader must wake up for another reason. */
  readonly bell = new EventEmitter().setMaxListeners(0);
  readonly #streams = new Map<string, StoredEvent[]>();
  readonly #truncated = new Map<string, number>();
  /** The length at its deletion. Only such a stream may be begun anew, not one that was truncated to its end. */
  readonly #softDeleted = new Map<string, number>();
  readonly #tombstoned = new Set<string>();
  readonly #recent = new Map<string, StoredEvent>();
  readonly #options: Required<LogOptions>;
  #end = 0;
  #appends = 0;

  constructor({ maxAppendSize = 2 ** 20, recentIds = 1_000, systemEventEvery = 5 }: LogOptions) {
    this.#options = { maxAppendSize, recentIds, systemEventEvery };
    // No client event is ever at 0: the server writes there on its first start.
    this.#storeSystemEvent();
  }

  append(stream: string, expected: Expected, proposed: readonly ProposedEvent[]): Decision {
    const limit = this.#options.maxAppendSize;
    if (proposed.reduce((sum, event) => sum + sizeOf(event), 0) > limit) return { is: 'tooLarge', limit };
    if (this.#tombstoned.has(stream)) return { is: 'streamDeleted' };
    const stored = this.#streams.get(stream) ?? [];
    const current = stored.length - 1;
    const wrong: Decision = { is: 'wrongExpectedVersion', current };
    if (expected === 'stream_exists' && current === NONE) return wrong;
    const known =
      expected === 'any' || expected === 'stream_exists'
        ? (event: ProposedEvent) => this.#recentIn(stream, event.id)
        : (event: ProposedEvent, index: number) => sameId(stored[revisionOf(expected) + 1 + index], event.id);
    const [first] = proposed;
    const before = first && known(first, 0);
    if (before) {
      // A mixture of known and unknown ids is "corrupted idempotency", which the real server answers in the
      // same way.
      const all = proposed.map(known);
      return all.includes(undefined) ? wrong : { is: 'stored', last: all.at(-1) ?? before };
    }
    if (typeof expected === 'number' && expected !== current) return wrong;
    if (expected === 'no_stream' && current !== NONE && !this.#isSoftDeleted(stream)) return wrong;
    const last = proposed.map((event) => this.#store(stream, event)).at(-1) ?? stored.at(-1);
    if (stream.startsWith('$$') && last) this.#setMetadata(stream.slice(2), last);
    if (++this.#appends % this.#options.systemEventEvery === 0) this.#storeSystemEvent();
    this.bell.emit('ring');
    return last ? { is: 'stored', last } : wrong;
  }

  /** Returns the readable events of a stream; undefined when the stream does not exist. */
  read(stream: string): StoredEvent[] | 'deleted' | undefined {
    if (this.#tombstoned.has(stream)) return 'deleted';
    const readable = this.#streams.get(stream)?.slice(this.#truncated.get(stream) ?? 0);
    return readable?.length ? readable : undefined;
  }

  /** Includes deleted events: the real server keeps them in $all until a scavenge. */
  delete(stream: string, forEver: boolean): void {
    if (forEver) {
      this.#tombstoned.add(stream);
      this.#storeTombstone(stream);
      return;
    }
    const length = this.#streams.get(stream)?.length ?? 0;
    this.#truncated.set(stream, length);
    this.#softDeleted.set(stream, length);
  }

  /** Returns the index in `events` of the first event at or after this position. */
  indexOf(position: number): number {
    let [low, high] = [0, this.events.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.events[middle]!.position < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Loses everything after a position, as when a backup is restored. */
  goBackTo(position: number): void {
    const [lost] = this.events.splice(this.indexOf(position + 1));
    if (lost) this.#end = lost.position;
    for (const [stream, stored] of this.#streams)
      this.#streams.set(
        stream,
        stored.filter((event) => event.position <= position),
      );
    this.forgetRecentIds();
  }

  forgetRecentIds(): void {
    this.#recent.clear();
  }

  #recentIn(stream: string, id: string): StoredEvent | undefined {
    const found = this.#recent.get(id);
    return found?.stream === stream ? found : undefined;
  }

  #isSoftDeleted(stream: string): boolean {
    return this.#softDeleted.get(stream) === this.#streams.get(stream)?.length;
  }

  #store(stream: string, event: ProposedEvent): StoredEvent {
    const ofStream = this.#streams.get(stream) ?? [];
    const created = BigInt(Date.now()) * 10_000n + BigInt(this.events.length % 10_000);
    const stored = { ...event, stream, revision: ofStream.length, position: this.#end, created };
    this.#streams.set(stream, ofStream);
    ofStream.push(stored);
    this.events.push(stored);
    this.#end += RECORD_OVERHEAD + stream.length + event.type.length + sizeOf(event);
    this.#recent.set(event.id, stored);
    if (this.#recent.size > this.#options.recentIds)
      this.#recent.delete(this.#recent.keys().next().value ?? '');
    return stored;
  }

  /** Applies the metadata of a stream; of its fields, `$tb` only: the first revision that can be read. */
  #setMetadata(stream: string, { data }: StoredEvent): void {
    const { $tb } = JSON.parse(new TextDecoder().decode(data)) as { $tb?: number };
    if ($tb !== undefined) this.#truncated.set(stream, $tb);
  }

  /** As the real server does: the last event of a tombstoned stream is one of the server. */
  #storeTombstone(stream: string): void {
    const created = BigInt(Date.now()) * 10_000n;
    const event = { id: crypto.randomUUID(), type: '$streamDeleted', contentType: 'application/json' };
    const record = { ...event, stream, revision: LAST_REVISION, position: this.#end, created };
    this.events.push({ ...record, data: EMPTY, metadata: EMPTY });
    this.#end += RECORD_OVERHEAD + stream.length;
    this.bell.emit('ring');
  }

  #storeSystemEvent(): void {
    const data = new TextEncoder().encode('{"proc-cpu":0}');
    const event = { id: crypto.randomUUID(), type: '$statsCollected', contentType: 'application/json', data };
    this.#store('$stats-127.0.0.1:2113', { ...event, metadata: EMPTY });
  }
}

const sizeOf = ({ data, metadata }: ProposedEvent) => data.length + metadata.length;
const sameId = (event: StoredEvent | undefined, id: string) => (event?.id === id ? event : undefined);
const revisionOf = (expected: number | 'no_stream') => (expected === 'no_stream' ? NONE : expected);
