import { setTimeout as pause } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { EventStore, Position, Recorded } from '../../events/event-store.ts';
import { UnreadableEvent, asStored } from '../../events/stored-events.ts';
import { backOffMs, sleep } from '../../kit/back-off.ts';
import { bytesOfEvents } from '../memory/bytes-of.ts';

/** The page size of all subscribers, so that they can share pages. */
export const PAGE = 1_000;
/** Number of pages kept. Slower subscribers find what the fastest has read, if they are not far behind. */
const PAGES_KEPT = 8;
/**
 * Size of those pages together. Eight pages of ordinary messages take 10 MiB, of long ones in two-byte
 * letters 70.
 */
const MAX_BYTES = 16 * 1_048_576;

interface Page {
  events: Recorded[];
  /** False when the read began before this request: the log may have grown since. */
  isNew: boolean;
}

/**
 * Creates reads of the log that the subscribers of one process share. They follow the same log, most of them
 * at the same place, and reading and parsing an event costs more than most of them do with it.
 */
export function createPages(reader: Pick<EventStore, 'readAll'>) {
  const underway = new Map<Position, Promise<Recorded[]>>();
  const pages = new LRUCache<Position, Recorded[]>({
    max: PAGES_KEPT,
    maxSize: MAX_BYTES,
    sizeCalculation: bytesOfEvents,
  });

  /** Resolves with the events after a position, at most a page of them. Rejects as the log does. */
  return async function pageAfter(after: Position): Promise<Page> {
    const known = pages.get(after) ?? underway.get(after);
    if (known) return { events: await known, isNew: false };
    const reading = reader.readAll({ after, limit: PAGE });
    underway.set(after, reading);
    try {
      const events = await reading;
      if (events.length > 0) pages.set(after, events);
      return { events, isNew: true };
    } finally {
      underway.delete(after);
    }
  };
}

/** Limits of what is handed over to a subscriber before it asks. The rest it reads later. */
const MAX_PENDING = { events: 4_096, bytes: 8 * 1_048_576 };
const POLL_MS = 500;
const BACK_OFF_MS = { first: 100, most: 2_000 };

interface Subscriber {
  /** The event types that it subscribes to; undefined for all. */
  types: ReadonlySet<string> | undefined;
  /** The position up to which it has all of its events, delivered or pending. */
  at: Position;
  /** The highest position that was announced. */
  announced: Position;
  pending: Recorded[];
  /** The batches handed over that are still pending: the last position and the bytes of each. */
  handed: { last: Position; bytes: number }[];
  /** The bytes of all those together. */
  bytes: number;
  wake: () => void;
}

interface Subscriptions extends Pick<EventStore, 'subscribe'> {
  /** Passes on everything that the log holds after `after`, directly to the subscribers at that position. */
  handOver(events: Recorded[], after: Position): void;
  /** Announces that the log reaches to `position`. This is a hint. */
  announce(position: Position): void;
}

/** Creates readers that follow the log. Notifications are hints; polling the head decides. */
export function createSubscriptions(
  reader: Pick<EventStore, 'readAll' | 'head'>,
  log: Logger,
): Subscriptions {
  const subscribers = new Set<Subscriber>();
  const pageAfter = createPages(reader);
  let polling: Promise<void> | undefined;

  function announce(position: Position): void {
    for (const subscriber of subscribers) {
      if (position > subscriber.announced) subscriber.announced = position;
      if (position > subscriber.at) subscriber.wake();
    }
  }

  function handOver(events: Recorded[], after: Position): void {
    const size = { events: events.length, bytes: bytesOfEvents(events) };
    for (const subscriber of subscribers)
      if (after <= subscriber.at && hasRoomFor(size, subscriber))
        take(subscriber, events, { bytes: size.bytes });
    announce(events.at(-1)!.position);
  }

  /** Polls the head until the last subscriber has gone. */
  async function poll(): Promise<void> {
    while (subscribers.size > 0) {
      await pause(POLL_MS, undefined, { ref: false });
      await reader
        .head()
        .then(announce, (error: unknown) =>
          log.debug({ err: error }, 'the event log does not answer; retrying'),
        );
    }
    polling = undefined;
  }

  async function* subscribe(options: Parameters<EventStore['subscribe']>[0]) {
    const { after, limit = 1_000, lingerMs = 0, types, onPosition, signal } = options;
    const subscriber: Subscriber = {
      types: types && new Set(types),
      at: after,
      announced: Infinity,
      pending: [],
      handed: [],
      bytes: 0,
      wake: () => undefined,
    };
    const wake = () => subscriber.wake();
    let reading: Promise<void> | undefined;
    let failure: UnreadableEvent | undefined;
    let page = PAGE;
    let reported = after;

    async function readPage(at: Position, announced: Position): Promise<Page & { upTo: Position }> {
      if (types) {
        // The head first: the subscriber's events before it can then be read.
        const upTo = announced === Infinity ? await reader.head() : announced;
        const events = await reader.readAll({ after: at, limit: page, types });
        return { events, isNew: true, upTo: events.length < page ? upTo : 0 };
      }
      if (page === PAGE) return { ...(await pageAfter(at)), upTo: 0 };
      return { events: await reader.readAll({ after: at, limit: page }), isNew: true, upTo: 0 };
    }

    async function read(): Promise<void> {
      for (let attempt = 0; !signal.aborted; attempt += 1) {
        const { at, announced } = subscriber;
        subscriber.announced = at;
        try {
          const { events, isNew, upTo } = await readPage(at, announced);
          if (!isNew) subscriber.announced = Math.max(subscriber.announced, announced);
          if (events.length === page) subscriber.announced = Infinity;
          take(subscriber, events, { upTo });
          return;
        } catch (error) {
          subscriber.announced = Infinity;
          if (error instanceof UnreadableEvent) {
            // Try smaller pages, so that everything before the unreadable event is still delivered.
            if (page === 1) failure = error;
            page = Math.ceil(page / 2);
            return;
          }
          log.warn({ err: error, after: subscriber.at }, 'a subscription cannot read the log; retrying');
          await sleep(backOffMs(BACK_OFF_MS, attempt + 1), signal);
        }
      }
    }

    function readAhead(): void {
      if (reading || failure || subscriber.announced <= subscriber.at) return;
      reading = read().finally(() => {
        reading = undefined;
        wake();
      });
    }

    /** Returns true if there is something to deliver, but as far as is known not a whole batch. */
    function mayGrow(): boolean {
      const { at, announced, pending } = subscriber;
      return pending.length < limit && announced !== Infinity && (pending.length > 0 || announced > at);
    }

    subscribers.add(subscriber);
    polling ??= poll();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        if (lingerMs > 0 && mayGrow()) await sleep(lingerMs, signal);
        if (subscriber.pending.length < limit) readAhead();
        if (subscriber.pending.length > 0) {
          yield deliver(subscriber, limit);
        } else if (failure) {
          throw failure;
        } else if (subscriber.at > reported) {
          reported = subscriber.at;
          onPosition?.(reported);
        } else {
          await new Promise<void>((resolve) => (subscriber.wake = resolve));
        }
      }
    } finally {
      signal.removeEventListener('abort', wake);
      subscribers.delete(subscriber);
    }
  }

  return { subscribe, handOver, announce };
}

const hasRoomFor = (size: typeof MAX_PENDING, { pending, bytes }: Subscriber): boolean =>
  pending.length + size.events <= MAX_PENDING.events && bytes + size.bytes <= MAX_PENDING.bytes;

/**
 * Takes from events that begin at or before the subscriber's next one those that are new to it and of its
 * types. Up to the last one, and up to `upTo`, there are no others for it. `bytes` is their size where the
 * subscriber did not read them itself.
 */
function take(subscriber: Subscriber, events: Recorded[], { upTo = 0, bytes = 0 }): void {
  const { types, at, pending } = subscriber;
  const to = Math.max(upTo, events.at(-1)?.position ?? 0);
  if (to <= at) return;
  const isNew = events[0] && events[0].position > at;
  const fresh = isNew ? events : events.filter(({ position }) => position > at);
  const concerning = types ? fresh.filter((event) => types.has(asStored(event).type)) : fresh;
  const last = concerning.at(-1);
  if (last) {
    pending.push(...concerning);
    subscriber.handed.push({ last: last.position, bytes });
    subscriber.bytes += bytes;
  }
  subscriber.at = to;
  subscriber.wake();
}

/** Removes and returns the first events, at most `limit`. */
function deliver(subscriber: Subscriber, limit: number): Recorded[] {
  const events = subscriber.pending.splice(0, limit);
  const { position } = events.at(-1)!;
  while (subscriber.handed[0] && subscriber.handed[0].last <= position)
    subscriber.bytes -= subscriber.handed.shift()!.bytes;
  return events;
}
