import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { NO_STREAM, type Position, type Revision } from '../../events/event-store.ts';
import type { Stream } from '../../events/streams.ts';
import { backOffMs, jittered, sleep } from '../../kit/back-off.ts';
import { within } from '../../kit/deadline.ts';
import { share } from '../../kit/gather.ts';
import { reasonOf } from '../../kit/reason.ts';
import { unavailable } from '../event-log/batch.ts';
import type { EventIds, KnownId } from '../postgres/tables/event-ids.ts';
import type { EventStoreDbClient, StoredRecord } from './client.ts';
import { OUR_STREAMS, isOfServer, isOurs } from './reader.ts';

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
class RecentEvents {
  /** The position of the last event that could be read, as far as everything has been seen. */
  readable: Position = 0;
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
    this.readable = position;
  }

  /** Adds the next event of the log. */
  add(event: StoredRecord): void {
    const { id, stream, revision, position } = event;
    this.#head = position;
    if (isOfServer(event)) return;
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

/** Longest time that a caller waits while nothing more is seen. */
const REACH_MS = 2_000;
/** Time after which a read overtakes the subscription while a caller waits. */
const PULL_AFTER_MS = 100;
const PULL_PAGE = 1_000;
/** Distance to the end of the log, in bytes, from which this process reads on while the index catches up. */
const NEAR = 16 * 1_048_576;
/** Time without progress of the index after which this process reads on alone. */
const STALLED_MS = 2_000;
const PROGRESS_POLL_MS = 100;
const PROGRESS_LOG_MS = 10_000;
/** Number of events from which the size of an event is estimated. */
const SAMPLE = 64;
/** Silence after which a subscription is compared with the log. */
const SILENCE_MS = 5_000;
const INDEX_POLL_MS = 1_000;
/**
 * Number of further polls for which events in the index are remembered. The commits of the index do not wait
 * for the disk, and a crash of PostgreSQL may undo those of the last second.
 */
const INDEX_POLLS_KEPT = 5;
const INDEX_MS = 2_000;
const TOO_FAR_BEHIND = 'the index of event ids is too far behind';
const BACK_OFF_MS = { first: 50, most: 2_000 };

export interface Tail {
  /** The events seen so far. */
  memory: RecentEvents;
  /** Begins at the position of the index of ids. Rejects when the index is out of reach. */
  start(): Promise<void>;
  /**
   * Resolves once everything has been seen that the log holds at the time of the call. Rejects like `reach`, and when
   * the server does not answer.
   */
  look(): Promise<void>;
  /**
   * Resolves once everything up to a position has been seen. Rejects with `EventStoreUnavailable` after 2 s
   * without progress, and at once while the start is not complete.
   */
  reach(position: Position): Promise<void>;
  /** Returns the reason why commands cannot succeed now, such as the events to go at the start; undefined if they can. */
  failure(): string | undefined;
  close(): Promise<void>;
}

/**
 * Creates a tail that sees every event of our streams once, in order: by one subscription for the whole
 * process, which is restarted when it fails, ends or falls silent, and by reads when it is slow and a caller
 * waits. It begins near the end of the log: where the index is far behind, it waits for the index first.
 * `onEvents` gets all events between two positions.
 */
export function createTail(settings: {
  client: EventStoreDbClient;
  ids: EventIds;
  /** Resolves with the position of the last event of our streams. */
  head: () => Promise<Position>;
  log: Logger;
  mostRemembered: number;
  near?: number | undefined;
  onEvents: (events: StoredRecord[], after: Position) => void;
}): Tail {
  const { client, ids, head, log, mostRemembered, near = NEAR, onEvents } = settings;
  const memory = new RecentEvents();
  const closing = new AbortController();
  const waiting = new Set<() => void>();
  let endSubscription: ((error?: Error) => void) | undefined;
  let lastSignAt = 0;
  let isFull = false;
  let trouble: string | undefined;
  /** Set until this process has seen what the log held at its start; in bytes of the log. */
  let start: { from: Position; to: Position; bytesPerEvent: number } | undefined;
  /** True while the index is too far behind to follow the log. */
  let isFarBehind = false;
  let running: Promise<unknown> | undefined;

  /** Raised when events on their way no longer follow on what has been seen. */
  let epoch = 0;
  /** The position up to which the log was read. Events of others may be between the last one seen and this. */
  let scanned: Position = 0;

  const wait = (ms: number) => sleep(ms, closing.signal, { ref: false });
  const indexed = () =>
    within(ids.position(), INDEX_MS, () => {
      throw unavailable('the index of event ids did not answer');
    });

  function noteSign(): void {
    lastSignAt = performance.now();
    trouble = undefined;
  }

  function restart(position: Position): void {
    epoch += 1;
    scanned = position;
    memory.restart(position);
  }

  function starting(): string | undefined {
    if (!start) return undefined;
    const bytes = Math.max(start.to - Math.max(start.from, memory.head), 0);
    return `starting: about ${Math.ceil(bytes / start.bytesPerEvent)} events of the log to go`;
  }

  /** Takes all of our events after a position that has been seen. Events seen before are skipped. */
  function accept(events: readonly StoredRecord[], since: number): void {
    if (since !== epoch) return;
    const after = memory.head;
    const fresh = events.filter(({ position }) => position > after);
    if (fresh.length === 0 || isFull) return;
    for (const event of fresh) memory.add(event);
    if (memory.size > mostRemembered) {
      isFull = true;
      endSubscription?.(new Error(TOO_FAR_BEHIND));
    }
    onEvents(fresh, after);
    completeStart();
    for (const wake of [...waiting]) wake();
  }

  function completeStart(): void {
    if (!start || isFarBehind || memory.head < start.to) return;
    start = undefined;
    log.info({ position: memory.head }, 'this process has caught up with the log');
  }

  function follow(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const since = epoch;
    let batch: StoredRecord[] = [];
    lastSignAt = performance.now();
    const flush = () => {
      const events = batch;
      batch = [];
      accept(events, since);
    };
    const stop = client.follow({
      after: memory.head,
      filter: OUR_STREAMS,
      onSign: noteSign,
      onEvent(event) {
        // Events of the same turn of the event loop are passed on together.
        if (batch.push(event) === 1) setImmediate(flush);
      },
      onEnd: (error) => (error ? reject(error) : resolve()),
    });
    endSubscription = (error) => {
      if (error) reject(error);
      stop();
    };
    return promise.finally(() => (endSubscription = undefined));
  }

  async function supervise(): Promise<void> {
    let failures = 0;
    while (!closing.signal.aborted) {
      const since = memory.head;
      try {
        if (start || isFull) await waitForIndex();
        if (closing.signal.aborted) return;
        await follow();
        if (!closing.signal.aborted)
          log.info({ after: memory.head }, 'EventStoreDB ended the subscription; subscribing again');
      } catch (err) {
        if (closing.signal.aborted) return;
        trouble = reasonOf(err);
        log.warn({ err, after: memory.head }, 'the subscription to EventStoreDB failed; subscribing again');
      }
      failures = memory.head > since ? 0 : failures + 1;
      await wait(jittered(backOffMs(BACK_OFF_MS, failures)));
    }
  }

  /**
   * Waits until the index is near the end of the log, and has the events that no longer fit into memory. Does
   * not wait for an index that makes no progress while there is room.
   */
  async function waitForIndex(): Promise<void> {
    let reached = -1;
    let movedAt = 0;
    let loggedAt = 0;
    while (!closing.signal.aborted) {
      const [position, to] = await Promise.all([indexed(), head()]);
      const now = performance.now();
      if (position > reached) [reached, movedAt] = [position, now];
      const isStalled = now - movedAt > STALLED_MS;
      if (isFull && isStalled) throw new Error(TOO_FAR_BEHIND);
      const { bytesPerEvent } = start ?? { bytesPerEvent: await sampleSize() };
      start = { from: position, to, bytesPerEvent };
      isFarBehind = (isFull && position < memory.head) || (to - position > near && !isStalled);
      if (!isFarBehind) {
        isFull = false;
        restart(position);
        return completeStart();
      }
      if (now - loggedAt > PROGRESS_LOG_MS) {
        loggedAt = now;
        log.info({ indexed: position, head: to }, `${starting()}; commands are refused until then`);
      }
      await wait(PROGRESS_POLL_MS);
    }
  }

  async function sampleSize(): Promise<number> {
    const positions = (await client.readBackwards('end', SAMPLE)).map(({ position }) => position);
    return Math.max((positions[0]! - positions.at(-1)!) / Math.max(positions.length - 1, 1), 1);
  }

  async function leaveToIndex(): Promise<void> {
    let polled: Position[] = [];
    while (!closing.signal.aborted) {
      await wait(INDEX_POLL_MS);
      const position = await indexed().catch(() => undefined);
      if (position === undefined || isFull || closing.signal.aborted) continue;
      polled = [...polled, position].map((earlier) => Math.min(earlier, position));
      if (position >= memory.base) {
        if (polled.length > INDEX_POLLS_KEPT) memory.leaveToIndex(polled.shift()!);
      } else {
        log.info({ position }, 'the index of event ids was rebuilt; reading what it lacks');
        restart(position);
        endSubscription?.();
      }
    }
  }

  async function watchSilence(): Promise<void> {
    while (!closing.signal.aborted) {
      await wait(SILENCE_MS / 5);
      if (!endSubscription || performance.now() - lastSignAt < SILENCE_MS) continue;
      const seen = memory.head;
      const last = await head().catch(() => undefined);
      if (last === undefined || last > seen) endSubscription?.(new Error('the subscription fell silent'));
      else noteSign();
    }
  }

  /** Reads everything that the subscription has not delivered, up to the present end of the log. */
  const readOn = share(async () => {
    const since = epoch;
    for (;;) {
      const from = Math.max(memory.head, scanned);
      const page = await client.readForwards(from, PULL_PAGE);
      if (since !== epoch || isFull || closing.signal.aborted) return;
      accept(page.filter(isOurs), since);
      scanned = page.at(-1)?.position ?? from;
      if (page.length < PULL_PAGE) return;
    }
  });

  function requireNear(): void {
    if (isFull) throw unavailable(TOO_FAR_BEHIND);
    if (isFarBehind) throw unavailable(starting() ?? TOO_FAR_BEHIND);
  }

  async function look(): Promise<void> {
    requireNear();
    // The subscription brings the events soon: reading them here as well would cost more than it saves.
    await reach(await head());
  }

  async function reach(position: Position): Promise<void> {
    const begun = performance.now();
    let seen = memory.head;
    let movedAt = begun;
    for (;;) {
      requireNear();
      if (memory.head >= position) return;
      const now = performance.now();
      if (memory.head > seen) [seen, movedAt] = [memory.head, now];
      if (now - movedAt > REACH_MS || closing.signal.aborted)
        throw unavailable(`the log was not seen up to ${position}: nothing came for ${REACH_MS} ms`);
      // Even if events arrive: the subscription may be slower than reading.
      if (now - begun > PULL_AFTER_MS)
        readOn().catch((err: unknown) => log.debug({ err }, 'the event log does not answer; retrying'));
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add(resolve);
      await within(promise, PULL_AFTER_MS, () => undefined);
      waiting.delete(resolve);
    }
  }

  return {
    memory,
    async start() {
      const position = await indexed();
      memory.restart(position);
      const to = await head();
      if (position < to) start = { from: position, to, bytesPerEvent: await sampleSize() };
      running = Promise.all([supervise(), leaveToIndex(), watchSilence()]);
    },
    look,
    reach,
    failure: () => trouble ?? starting(),
    async close() {
      closing.abort();
      endSubscription?.();
      await running;
    },
  };
}
