import type { DomainEvent } from '../../events/domain-event.ts';
import {
  type Append,
  EventStoreUnavailable,
  type Guard,
  MOST_BEHIND,
  type Position,
  type Recorded,
  type Revision,
  StreamDamaged,
  type Verdict,
  breaks,
} from '../../events/event-store.ts';
import type { Stream } from '../../events/streams.ts';
import { within } from '../../kit/deadline.ts';
import { type WaitingAppend, prepare, unavailable } from '../event-log/batch.ts';
import type { EventIds, KnownId } from '../postgres/tables/event-ids.ts';
import { DELETED } from './client.ts';
import type { Tail } from './live-events.ts';
import type { LogInEventStoreDb } from './reader.ts';
import type { Group, Queued, Sender } from './send-group.ts';

/**
 * Number of appends in a round. An unanswered append is sent again after its deadline, so the server must be
 * able to keep up with a round.
 */
const MAX_APPENDS = 128;
/** Servers accept 1 MiB in one append by default. */
const MAX_GROUP_SIZE = 512 * 1024;

interface Written {
  size: number;
  isAny: boolean;
  events: DomainEvent[];
}

/**
 * Takes from the front of the queue what can go to the server at the same time: no append that could see
 * another one of the round, or be overtaken by it. Appends at any revision of the same stream go together, in
 * their order.
 */
function takeRound(queue: Queued[]): Queued[] {
  const written = new Map<Stream, Written>();
  const guards = new Map<Stream, Guard[]>();
  const ids = new Set<string>();

  function goes({ append, size }: Queued): boolean {
    const { stream, expected, events } = append;
    const before = written.get(stream);
    if (before && !(before.isAny && expected === 'any' && before.size + size <= MAX_GROUP_SIZE)) return false;
    const isBroken = (guard: Guard, by: DomainEvent[] = []) => by.some((event) => breaks(guard, event));
    const wanted = events.map(({ event }) => event);
    if (guards.get(stream)?.some((guard) => isBroken(guard, wanted))) return false;
    if (append.guards?.some((guard) => isBroken(guard, written.get(guard.stream)?.events))) return false;
    return !events.some(({ id }) => ids.has(id));
  }

  let count = 0;
  for (const queued of queue.slice(0, MAX_APPENDS)) {
    if (!goes(queued)) break;
    count += 1;
    const { stream, expected, events } = queued.append;
    const group = written.get(stream) ?? { size: 0, isAny: expected === 'any', events: [] };
    group.size += queued.size;
    for (const { id, event } of events) {
      group.events.push(event);
      ids.add(id);
    }
    written.set(stream, group);
    for (const guard of queued.append.guards ?? []) {
      const known = guards.get(guard.stream);
      if (known) known.push(guard);
      else guards.set(guard.stream, [guard]);
    }
  }
  return queue.splice(0, count);
}

const MAX_WAITING = 10_000;
const MAX_WAITING_SIZE = 64 * 1024 * 1024;
/** Time limit of an append, with all of its attempts and look-ups. */
const GIVE_UP_MS = 8_000;
const INDEX_MS = 2_000;
const EVENT_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface EventStoreDbLane {
  append(append: Append): Promise<Verdict>;
  /** Resolves with the event with this id; undefined if there is none. */
  find(id: string): Promise<Recorded | undefined>;
  /** Resolves with the revisions of these streams, `NO_STREAM` included. */
  revisions(streams: readonly Stream[]): Promise<Map<Stream, Revision>>;
  /** Takes no more appends, and answers those that wait. */
  close(): Promise<void>;
}

interface Look {
  known: Map<string, KnownId>;
  revisions: Map<Stream, Revision>;
}

/**
 * Creates a lane that appends in rounds: appends that do not depend on each other go together. A round is
 * judged by the log as it is when the round begins. That takes one look at the end of the log, one at the
 * index of ids, and what this process has seen. Appends are stored at exact revisions, so that a faster
 * writer is noticed.
 */
export function createEventStoreDbLane(settings: {
  sender: Sender;
  reader: LogInEventStoreDb;
  tail: Tail;
  ids: EventIds;
}): EventStoreDbLane {
  const { sender, reader, tail, ids: index } = settings;
  const { memory } = tail;
  const queue: Queued[] = [];
  let waitingSize = 0;
  let running: Promise<void> | undefined;
  let isClosed = false;

  function enqueue(append: Append, resolve: WaitingAppend['resolve'], reject: WaitingAppend['reject']): void {
    if (isClosed) throw unavailable('the event store is closed');
    if (queue.length >= MAX_WAITING || waitingSize >= MAX_WAITING_SIZE)
      throw unavailable('too many appends are waiting');
    const bad = append.events.find(({ id }) => !EVENT_ID.test(id));
    if (bad) throw new Error(`an event id must be a UUID in lower case, not ${bad.id.slice(0, 50)}`);
    const giveUpAt = performance.now() + GIVE_UP_MS;
    const queued = { ...prepare(append, resolve, reject), giveUpAt };
    waitingSize += queued.size;
    queue.push(queued);
    running ??= run();
  }

  async function run(): Promise<void> {
    while (queue.length > 0) {
      // Appends of the same turn of the event loop may go together.
      await new Promise(setImmediate);
      const round = takeRound(queue);
      for (const { size } of round) waitingSize -= size;
      const again = await decide(round).catch((error: unknown) =>
        rejectAll(
          round,
          error instanceof EventStoreUnavailable
            ? error
            : unavailable('the event log does not answer; retrying', error),
        ),
      );
      for (const { size } of again) waitingSize += size;
      queue.unshift(...again);
    }
    // In the same turn as the last look at the queue, so that a later append starts a new run.
    running = undefined;
  }

  /** Answers the appends of a round, except for those that it returns. */
  async function decide(round: readonly Queued[]): Promise<Queued[]> {
    const streams = round.flatMap(({ append }) => [append.stream, ...guardedBy(append)]);
    const ids = round.flatMap(({ events }) => events.map(({ id }) => id));
    const { known, revisions } = await lookAt(ids, streams);
    const conflicts = await Promise.all(round.map(({ append }) => conflictOf(append, revisions)));
    const groups = new Map<Stream, Group>();
    for (const [index, queued] of round.entries()) {
      const { append, events, resolve } = queued;
      const { stream } = append;
      const places = events.flatMap(({ id }) => known.get(id) ?? []);
      const conflict = conflicts[index];
      const deleted = [stream, ...guardedBy(append)].find(reader.isDeleted);
      if (deleted) {
        queued.reject(new StreamDamaged(deleted, DELETED));
      } else if (places.length > 0) {
        resolve(duplicate(stream, places));
      } else if (conflict) {
        resolve({ outcome: 'conflict', ...conflict });
      } else {
        const group = groups.get(stream) ?? { stream, revision: revisions.get(stream)!, members: [] };
        groups.set(stream, group);
        group.members.push(queued);
      }
    }
    const lost = new Set((await Promise.all([...groups.values()].map(sender.send))).flat());
    return round.filter((queued) => lost.has(queued) && !isGivenUp(queued));
  }

  function isGivenUp({ giveUpAt, reject }: Queued): boolean {
    if (performance.now() < giveUpAt) return false;
    reject(unavailable('the append lost every race for its stream'));
    return true;
  }

  /**
   * Resolves with the places of events with these ids, and the revisions of these streams, as of one moment
   * after the call. A later event is beyond the revision of its stream.
   */
  async function lookAt(ids: readonly string[], streams: readonly Stream[]): Promise<Look> {
    for (;;) {
      const { base } = memory;
      const [indexed, head, ...learned] = await Promise.all([
        ids.length > 0 ? askIndex(ids) : [],
        reader.head(),
        ...unknownAmong(streams).map(learn),
      ]);
      // A stream may be known from a read that is ahead of what has been seen.
      const standings = streams.map((stream) => memory.standing(stream)?.position ?? 0);
      await tail.reach(Math.max(head, ...learned, ...standings));
      // Ids left to the index meanwhile may have been missing when it was asked.
      if (memory.base !== base || unknownAmong(streams).length > 0) continue;
      const places = [...indexed, ...ids.flatMap((id) => memory.find(id) ?? [])];
      return {
        known: new Map(places.map((place) => [place.id, place])),
        revisions: new Map(streams.map((stream) => [stream, memory.standing(stream)!.revision])),
      };
    }
  }

  const unknownAmong = (streams: readonly Stream[]) =>
    [...new Set(streams)].filter((stream) => !memory.standing(stream));

  async function learn(stream: Stream): Promise<Position> {
    const last = await reader.last(stream);
    memory.learn(stream, last);
    return last?.position ?? 0;
  }

  async function conflictOf({ stream, expected, guards = [] }: Append, revisions: Look['revisions']) {
    const needs: Guard[] = expected === 'any' ? guards : [{ stream, revision: expected }, ...guards];
    for (const need of needs) {
      const actual = revisions.get(need.stream)!;
      if (actual !== need.revision && (await isBroken(need, actual))) return { stream: need.stream, actual };
    }
    return undefined;
  }

  async function isBroken(guard: Guard, actual: Revision): Promise<boolean> {
    const behind = actual - guard.revision;
    if (guard.about === undefined || behind < 0 || behind > MOST_BEHIND) return true;
    const since = await reader.readStream(guard.stream, { from: guard.revision + 1, limit: behind });
    return since.some((event) => breaks(guard, event));
  }

  async function duplicate(stream: Stream, places: readonly KnownId[]): Promise<Verdict> {
    const events = await fetch(places);
    if (events.length === 0) throw new StreamDamaged(stream, 'no longer has the events of the first append');
    return { outcome: 'duplicate', events };
  }

  const askIndex = (ids: readonly string[]) =>
    within(index.find(ids), INDEX_MS, () => {
      throw unavailable('the index of event ids did not answer');
    });

  async function fetch(places: readonly KnownId[]): Promise<Recorded[]> {
    const found = await Promise.all(
      places.map(({ stream, revision }) => reader.readStream(stream, { from: revision, limit: 1 })),
    );
    return found.flat().toSorted((a, b) => a.position - b.position);
  }

  return {
    append: (append) => new Promise((resolve, reject) => enqueue(append, resolve, reject)),
    async find(id) {
      const { known } = await lookAt([id], []);
      return (await fetch([...known.values()]))[0];
    },
    revisions: async (streams) => (await lookAt([], streams)).revisions,
    async close() {
      isClosed = true;
      await running;
    },
  };
}

const guardedBy = ({ guards = [] }: Append) => guards.map(({ stream }) => stream);

function rejectAll(round: readonly Queued[], error: EventStoreUnavailable): Queued[] {
  for (const { reject } of round) reject(error);
  return [];
}
