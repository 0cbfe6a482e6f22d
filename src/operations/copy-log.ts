import { type Hash, createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  type EventStore,
  EventStoreUnavailable,
  type Position,
  type Recorded,
} from '../events/event-store.ts';
import { requireKnown } from '../events/stored-events.ts';
import { backOffMs, sleep } from '../kit/back-off.ts';

const PAGE = 1_000;
/** Number of characters of JSON that are appended together; EventStoreDB takes 1 MiB by default. */
const MAX_SIZE = 256 * 1024;
/** Number of characters of JSON that are sent before an answer is awaited. */
const MAX_WAVE = 1024 * 1024;
/** Time without progress after which a copy gives up, while one of the logs is out of reach. */
const GIVE_UP_MS = 5 * 60_000;
const BACK_OFF_MS = { first: 100, most: 2_000 };
/** Attempts at an event that has no place in the target. What an earlier connection sent may arrive meanwhile. */
const MOST_MISPLACED = 3;

/** One log is not a copy of the other. The message tells from where on, and nothing of the content of events. */
export class LogsDiffer extends Error {
  override readonly name = 'LogsDiffer';
}

/** An event has no place in the target: its stream does not stand where it stood in the source. */
export class Misplaced extends LogsDiffer {}

type Reading = Pick<EventStore, 'readAll'>;

export interface Target extends Reading {
  /**
   * Stores events of the original in their order, each group of neighbours in one stream as a whole. The next call comes
   * after the last has settled. Rejects when not all are stored: then the log has a beginning of them, and none beyond.
   * `EventStoreUnavailable` may go away; `Misplaced` where a stream stands elsewhere.
   */
  append(groups: readonly Recorded[][]): Promise<void>;
}

/** A pair of corresponding positions, 0 before the first event. */
interface Reached {
  from: Position;
  to: Position;
}

interface Canonical {
  event: Recorded;
  /** The event without its position, in a canonical form. */
  text: string;
}

/**
 * The common part of an original and its copy: a beginning of the original, and all of the copy that has been read.
 * Its memory grows by a pair of positions per thousand events.
 */
export class CommonPart {
  /** Number of events. */
  events = 0;
  /** The last common event. */
  reached: Reached = { from: 0, to: 0 };
  readonly #marks: Reached[] = [{ from: 0, to: 0 }];
  #markedAt = 0;
  readonly #hashes = { from: createHash('sha256'), to: createHash('sha256') };

  /** Adds the next events of both. Throws `LogsDiffer` unless they are the same. */
  add(originals: readonly Canonical[], copies: readonly Canonical[]): void {
    const last = originals.length - 1;
    if (last < 0) return;
    const wrong = originals.findIndex(({ text }, index) => text !== copies[index]?.text);
    if (wrong >= 0) throw differ(originals[wrong]!.event, copies[wrong]!.event, this.events + wrong + 1);
    update(this.#hashes.from, originals);
    update(this.#hashes.to, copies);
    this.events += originals.length;
    this.reached = { from: originals[last]!.event.position, to: copies[last]!.event.position };
    if (this.events - this.#markedAt < PAGE) return;
    this.#markedAt = this.events;
    this.#marks.push(this.reached);
  }

  /** Returns the SHA-256 of the events of each log, without the positions. */
  digest(): { from: string; to: string } {
    const { from, to } = this.#hashes;
    return { from: from.copy().digest('hex'), to: to.copy().digest('hex') };
  }

  /** Resolves with the position in the copy that corresponds to each of these positions in the original. */
  async positions(
    { from, to }: { from: Reading; to: Reading },
    wanted: readonly Position[],
  ): Promise<Map<Position, Position>> {
    const found = new Map<Position, Position>();
    for (const [mark, near] of Map.groupBy(new Set(wanted), (position) => this.#markBefore(position))) {
      const upTo = Math.min(Math.max(...near), this.reached.from);
      const originals = (await Array.fromAsync(pagesOf(from, { after: mark.from, upTo }))).flat();
      const copies = await readAfter(to, mark.to, originals.length);
      for (const position of near) {
        const index = originals.findLastIndex((event) => event.position <= position);
        found.set(position, copies[index]?.position ?? mark.to);
      }
    }
    return found;
  }

  #markBefore(position: Position): Reached {
    return this.#marks.findLast(({ from }) => from <= position) ?? { from: 0, to: 0 };
  }
}

function update(hash: Hash, events: readonly Canonical[]): void {
  // One by one: joining them costs ten times the hash.
  for (const { text } of events) hash.update(text);
}

interface Between {
  from: Reading;
  to: Reading;
  /** The common part found so far. It grows. */
  common: CommonPart;
  /** The end of the original. */
  upTo: Position;
  /** Called when `common` has grown. */
  onStep?: (() => void) | undefined;
}

/**
 * Reads an original, up to a position, and its copy in step from the end of their common part on, until the copy ends.
 * Resolves with true if the copy has the whole original. Throws `LogsDiffer` unless the copy is a beginning of the
 * original: the same ids, streams, revisions, types, data, metadata and times in the same order.
 */
export async function compareLogs({ from, to, common, upTo, onStep }: Between): Promise<boolean> {
  const { reached } = common;
  const originals = pagesOf(from, { after: reached.from, upTo });
  let ahead: Recorded[] = [];
  for await (const copies of pagesOf(to, { after: reached.to })) {
    while (ahead.length < copies.length) {
      const { value } = await originals.next();
      if (!value) break;
      ahead = ahead.concat(value);
    }
    const expected = ahead.slice(0, copies.length);
    ahead = ahead.slice(copies.length);
    common.add(expected.map(canonical), copies.slice(0, expected.length).map(canonical));
    if (expected.length < copies.length)
      throw new LogsDiffer(`the target has more than the ${common.events} events of the source`);
    onStep?.();
  }
  return ahead.length === 0 && (await originals.next()).done === true;
}

/**
 * Appends the events of the original after the common part and up to a position to the copy, which must end there, and
 * reads back and compares each. While some are appended, those before are read back, and those after are read. Throws
 * `LogsDiffer` when the copy has other events, or another order. Every event gets the newest shape of its data.
 */
export async function copyEvents({
  from,
  to,
  common,
  upTo,
  onStep,
}: Between & { to: Target }): Promise<void> {
  async function readBack(wave: readonly Canonical[]): Promise<void> {
    const copies = await readAfter(to, common.reached.to, wave.length);
    common.add(wave.slice(0, copies.length), copies.map(canonical));
    if (copies.length < wave.length)
      throw new EventStoreUnavailable('the target does not return what it has stored');
    onStep?.();
  }

  const waves = wavesOf(pagesOf(from, { after: common.reached.from, upTo }));
  let next = begun(waves.next());
  let proof = Promise.resolve();
  try {
    for (;;) {
      const { value: wave } = await next;
      if (!wave) break;
      const append = to.append(wave.map((group) => group.map(({ event }) => event)));
      next = begun(waves.next());
      const [proved, appended] = await Promise.allSettled([proof, append]);
      for (const outcome of [proved, appended]) if (outcome.status === 'rejected') throw outcome.reason;
      proof = begun(readBack(wave.flat()));
    }
    await proof;
  } finally {
    // Nothing changes the common part after the end of the call.
    await Promise.allSettled([next, proof]);
  }
}

export interface CopySettings {
  from: Pick<EventStore, 'readAll' | 'head'>;
  to: Target;
  /** The common part found so far. It grows. */
  common: CommonPart;
  /** Called when `common` has grown, with the end of the original. */
  onStep?: ((work: 'comparing' | 'copying', upTo: Position) => void) | undefined;
  /** Called with each failure after which the copy goes on. */
  onTrouble: (error: Error) => void;
}

/**
 * Compares what the copy has beyond the common part, and copies the rest up to the end of the original at the time of
 * the call. Resolves with that end, and with the number of events that were copied. Begins again from the common part
 * when a log is out of reach, until nothing has been compared or copied for 5 minutes.
 */
export async function copyLog(settings: CopySettings): Promise<{ upTo: Position; copied: number }> {
  const { from, to, common, onStep, onTrouble } = settings;
  let there: number | undefined;
  let movedAt = performance.now();
  for (let failures = 1; ; failures += 1) {
    const { events } = common;
    try {
      const upTo = await from.head();
      const reporting = (work: 'comparing' | 'copying') => ({
        ...{ from, to, common, upTo },
        onStep: () => onStep?.(work, upTo),
      });
      while (!(await compareLogs(reporting('comparing')))) {
        there ??= common.events;
        await copyEvents(reporting('copying'));
      }
      return { upTo, copied: common.events - (there ?? common.events) };
    } catch (error) {
      if (common.events > events) [failures, movedAt] = [1, performance.now()];
      const isTransient =
        (error instanceof Misplaced && failures < MOST_MISPLACED) ||
        (error instanceof EventStoreUnavailable && performance.now() - movedAt < GIVE_UP_MS);
      if (!isTransient) throw error;
      onTrouble(error);
      await sleep(backOffMs(BACK_OFF_MS, failures));
    }
  }
}

/** Returns a promise that is awaited later: if it rejects before, the process does not end. */
function begun<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Reads the next page while the last is used. */
async function* pagesOf(
  store: Reading,
  { after, upTo = Infinity }: { after: Position; upTo?: Position },
): AsyncGenerator<Recorded[], undefined> {
  const read = (position: Position) => begun(store.readAll({ after: position, limit: PAGE }));
  for (let next = after < upTo ? read(after) : undefined; next;) {
    const page = await next;
    const end = page.at(-1)?.position ?? Infinity;
    next = end < upTo ? read(end) : undefined;
    const wanted = end > upTo ? page.filter(({ position }) => position <= upTo) : page;
    requireKnown(wanted);
    if (wanted.length > 0) yield wanted;
  }
}

/** Resolves with the next events, fewer only at the end of the log. */
async function readAfter(store: Reading, after: Position, count: number): Promise<Recorded[]> {
  let events: Recorded[] = [];
  for (let position = after; events.length < count;) {
    const page = await store.readAll({ after: position, limit: Math.min(count - events.length, PAGE) });
    if (page.length === 0) break;
    requireKnown(page);
    events = events.concat(page);
    position = page.at(-1)!.position;
  }
  return events;
}

/** Groups what goes to the copy at once, in groups that one append can carry. Does not divide a group between pages. */
async function* wavesOf(pages: AsyncIterable<Recorded[]>): AsyncGenerator<Canonical[][], undefined> {
  let last: Canonical[] = [];
  let wave: Canonical[][] = [];
  let size = 0;
  for await (const page of pages) {
    const groups = together([...last, ...page.map(canonical)]);
    last = groups.pop()!;
    for (const group of groups) {
      wave.push(group);
      size += sizeOf(group);
      if (size < MAX_WAVE) continue;
      yield wave;
      [wave, size] = [[], 0];
    }
    if (wave.length > 0) yield wave;
    [wave, size] = [[], 0];
  }
  if (last.length > 0) yield [last];
}

/** Groups events that one append can carry: neighbours in one stream, stored with the same time and metadata. */
function together(events: readonly Canonical[]): Canonical[][] {
  const groups: Canonical[][] = [];
  let size = 0;
  for (const event of events) {
    const group = groups.at(-1);
    const { length } = event.text;
    if (group && size + length <= MAX_SIZE && belongs(group[0]!.event, event.event)) {
      group.push(event);
      size += length;
    } else {
      groups.push([event]);
      size = length;
    }
  }
  return groups;
}

const sizeOf = (group: readonly Canonical[]) => group.reduce((sum, { text }) => sum + text.length, 0);

const belongs = (first: Recorded, next: Recorded): boolean =>
  next.stream === first.stream &&
  next.occurredAt === first.occurredAt &&
  isDeepStrictEqual(next.metadata, first.metadata);

function canonical(event: Recorded): Canonical {
  const { id, stream, revision, type, v, occurredAt, data, metadata } = event;
  const fields = [id, stream, revision, type, v, occurredAt, ordered(data), ordered(metadata)];
  return { event, text: `${JSON.stringify(fields)}\n` };
}

/** Returns the value with the fields of every object in one order. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(fields)
      .sort()
      .map((name) => [name, ordered(fields[name])]),
  );
}

function differ(event: Recorded, copy: Recorded, nth: number): LogsDiffer {
  const fields = (
    ['id', 'stream', 'revision', 'type', 'v', 'occurredAt', 'data', 'metadata'] as const
  ).filter((field) => !isDeepStrictEqual(event[field], copy[field]));
  return new LogsDiffer(
    `event ${nth} of the target is not event ${nth} of the source (${fields.join(', ')}): ` +
      `${copy.stream} ${copy.revision} instead of ${event.stream} ${event.revision}`,
  );
}
