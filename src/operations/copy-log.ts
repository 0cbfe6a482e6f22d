import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { DomainEvent } from '../events/domain-event.ts';
import type { Append, EventStore, Position, Recorded } from '../events/event-store.ts';
import { requireKnown } from '../events/stored-events.ts';

const PAGE = 1_000;
/** Number of characters of JSON that are appended together; EventStoreDB takes 1 MiB by default. */
const MAX_SIZE = 256 * 1024;
const IN_FLIGHT = 256;

/** One log is not a copy of the other. The message tells from where on, and nothing of the content of events. */
export class LogsDiffer extends Error {
  override readonly name = 'LogsDiffer';
}

type Reading = Pick<EventStore, 'readAll'>;

export interface Compared {
  /** Number of events that both have in common. */
  events: number;
  /** SHA-256 of the common events in each log, without the positions. */
  digest: { from: string; to: string };
  /** The last common event, in the original and in the copy; 0 without events. */
  reached: { from: Position; to: Position };
  /** True if the copy has the whole original, up to the given position. */
  isWhole: boolean;
  /** For each of the `wanted` positions in the original, the corresponding position in the copy. */
  positions: Map<Position, Position>;
}

/**
 * Reads an original, up to a position, and its copy in step from their starts, until the copy ends. Throws
 * `LogsDiffer` unless the copy is a beginning of the original: the same ids, streams, revisions, types, data,
 * metadata and times in the same order. `onStep` is called for every event.
 */
export async function compareLogs({
  from,
  to,
  upTo,
  wanted = [],
  onStep = () => {},
}: {
  from: Reading;
  to: Reading;
  upTo: Position;
  wanted?: readonly Position[];
  onStep?: (reached: Position) => void;
}): Promise<Compared> {
  const copies = eventsOf(to, { after: 0, upTo: Infinity });
  const [ofOriginal, ofCopy] = [createHash('sha256'), createHash('sha256')];
  const asked = wanted.toSorted((a, b) => a - b);
  const positions = new Map<Position, Position>();
  let reached = { from: 0, to: 0 };
  let events = 0;
  let isWhole = true;

  const translateBefore = (position: Position) => {
    while (asked.length > 0 && asked[0]! < position) positions.set(asked.shift()!, reached.to);
  };

  for await (const event of eventsOf(from, { after: 0, upTo })) {
    const { value: copy } = await copies.next();
    if (!copy) {
      isWhole = false;
      break;
    }
    const [original, copied] = [canonical(event), canonical(copy)];
    if (original !== copied) throw differ(event, copy, events + 1);
    translateBefore(event.position);
    ofOriginal.update(original);
    ofCopy.update(copied);
    reached = { from: event.position, to: copy.position };
    events += 1;
    onStep(event.position);
  }
  translateBefore(Infinity);
  if (isWhole && !(await copies.next()).done)
    throw new LogsDiffer(`the target has more than the ${events} events of the source`);
  const digest = { from: ofOriginal.digest('hex'), to: ofCopy.digest('hex') };
  return { events, digest, reached, isWhole, positions };
}

/**
 * Appends the events of the original after one position and up to another to the copy, in the same order.
 * Resolves with the number of events. Throws `LogsDiffer` when another writer appends to the copy, or when
 * the copy stored a later append and lost an earlier one: such a copy cannot be continued. Every event gets
 * the newest shape of its data.
 */
export async function copyEvents({
  from,
  to,
  after,
  upTo,
  onStep = () => {},
}: {
  from: Reading;
  to: Pick<EventStore, 'append'>;
  after: Position;
  upTo: Position;
  onStep?: (reached: { from: Position; to: Position }) => void;
}): Promise<number> {
  let copied = 0;
  let reached = 0;
  for await (const wave of waves(together(eventsOf(from, { after, upTo })))) {
    // A log stores appends in the order in which it receives them, as long as none fails.
    const outcomes = await Promise.allSettled(wave.map((events) => to.append(appendOf(events))));
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === 'rejected') throw outcome.reason;
      const verdict = outcome.value;
      if (verdict.outcome === 'conflict')
        throw new LogsDiffer(`${verdict.stream} stands at revision ${verdict.actual} in the target already`);
      for (const { position } of verdict.events) {
        if (position <= reached)
          throw new LogsDiffer('the target has got events in another order: begin again with an empty one');
        reached = position;
      }
      copied += wave[index]!.length;
    }
    onStep({ from: wave.at(-1)!.at(-1)!.position, to: reached });
  }
  return copied;
}

async function* eventsOf(
  store: Reading,
  { after, upTo }: { after: Position; upTo: Position },
): AsyncGenerator<Recorded, undefined> {
  for (let position = after; position < upTo;) {
    const page = await store.readAll({ after: position, limit: PAGE });
    if (page.length === 0) return;
    position = page.at(-1)!.position;
    requireKnown(page);
    for (const event of page) {
      if (event.position > upTo) return;
      yield event;
    }
  }
}

/** Groups events that one append can carry: neighbours in one stream, stored with the same time and metadata. */
async function* together(events: AsyncIterable<Recorded>): AsyncGenerator<Recorded[]> {
  let group: Recorded[] = [];
  let size = 0;
  for await (const event of events) {
    const length = JSON.stringify(event).length;
    if (group[0] && (size + length > MAX_SIZE || !belongs(group[0], event))) {
      yield group;
      group = [];
      size = 0;
    }
    group.push(event);
    size += length;
  }
  if (group.length > 0) yield group;
}

/** Groups appends that are sent at once. One at a time, a copy would wait for every answer in turn. */
async function* waves(appends: AsyncIterable<Recorded[]>): AsyncGenerator<Recorded[][]> {
  let wave: Recorded[][] = [];
  for await (const events of appends) {
    wave.push(events);
    if (wave.length < IN_FLIGHT) continue;
    yield wave;
    wave = [];
  }
  if (wave.length > 0) yield wave;
}

const belongs = (first: Recorded, next: Recorded): boolean =>
  next.stream === first.stream &&
  next.occurredAt === first.occurredAt &&
  isDeepStrictEqual(next.metadata, first.metadata);

function appendOf(events: Recorded[]): Append {
  const { stream, revision, occurredAt, metadata } = events[0]!;
  return {
    stream,
    events: events.map(({ id, type, data }) => ({ id, event: { type, data } as DomainEvent })),
    expected: revision - 1,
    occurredAt,
    metadata,
  };
}

/** Serializes an event without its position, in a canonical form. */
const canonical = ({ position: _, ...event }: Recorded): string => `${JSON.stringify(ordered(event))}\n`;

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, ordered(field)]));
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
