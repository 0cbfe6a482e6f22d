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
import type { Seal, TextSeal } from '../../events/personal-text.ts';
import type { Stream } from '../../events/streams.ts';
import { within } from '../../kit/deadline.ts';
import { gather } from '../../kit/gather.ts';
import { createSemaphore } from '../../kit/semaphore.ts';
import { type WaitingAppend, prepare, sealInOrder, unavailable } from '../event-log/batch.ts';
import type { EventIds, KnownId } from '../postgres/tables/event-ids.ts';
import { DELETED } from './client.ts';
import type { Tail } from './live-events.ts';
import { LOOK_REST_MS, type LogInEventStoreDb } from './reader.ts';
import type { Queued, Sender } from './send-group.ts';

const MAX_WAITING = 10_000;
const MAX_WAITING_SIZE = 64 * 1024 * 1024;
/**
 * Number of appends under way. An unanswered append is sent again after its deadline, so the server must be able
 * to keep up with them.
 */
const MAX_UNDER_WAY = 512;
/** Servers accept 1 MiB in one append by default. */
const MAX_GROUP_SIZE = 512 * 1024;
/** Number of appends that go to the server as one. */
const MAX_GROUP = 128;
/** Time limit of an append, with all of its attempts and look-ups. */
const GIVE_UP_MS = 8_000;
const INDEX_MS = 2_000;
/** Number of unknown streams that are looked up at a time. */
const STREAMS_AT_ONCE = 64;
const EVENT_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface AppendQueue {
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

/** An append that has not been answered. */
interface Entry extends Queued {
  /** Number of earlier appends that must be answered before this one is judged, apart from those of its stream. */
  blockers: number;
  /** The later appends that wait for this one. */
  blocked: Entry[];
}

/** The unanswered appends of one stream. */
interface Lane {
  waiting: Entry[];
  isBusy: boolean;
}

/** Finds the unanswered appends that a later one depends on. */
class Unanswered {
  readonly #writers = new Map<Stream, Set<Entry>>();
  readonly #guarding = new Map<Stream, Set<Entry>>();
  readonly #withId = new Map<string, Set<Entry>>();

  add(entry: Entry): void {
    for (const blocker of this.#blockersOf(entry)) {
      blocker.blocked.push(entry);
      entry.blockers += 1;
    }
    put(this.#writers, entry.append.stream, entry);
    for (const { stream } of entry.append.guards ?? []) put(this.#guarding, stream, entry);
    for (const { id } of entry.events) put(this.#withId, id, entry);
  }

  remove(entry: Entry): void {
    for (const blocked of entry.blocked) blocked.blockers -= 1;
    drop(this.#writers, entry.append.stream, entry);
    for (const { stream } of entry.append.guards ?? []) drop(this.#guarding, stream, entry);
    for (const { id } of entry.events) drop(this.#withId, id, entry);
  }

  /** Returns the appends with one of its ids, those whose guards it breaks, and those that break its guards. */
  #blockersOf(entry: Entry): Set<Entry> {
    const { stream, guards = [] } = entry.append;
    const isBrokenBy = (guard: Guard, { append }: Entry) =>
      guard.stream === append.stream && append.events.some(({ event }) => breaks(guard, event));
    const sameId = entry.events.flatMap(({ id }) => [...(this.#withId.get(id) ?? [])]);
    const guarding = [...(this.#guarding.get(stream) ?? [])].filter(({ append }) =>
      append.guards?.some((guard) => isBrokenBy(guard, entry)),
    );
    const breaking = guards.flatMap((guard) =>
      [...(this.#writers.get(guard.stream) ?? [])].filter((writer) => isBrokenBy(guard, writer)),
    );
    return new Set([...sameId, ...guarding, ...breaking]);
  }
}

const guardedBy = ({ guards = [] }: Append) => guards.map(({ stream }) => stream);

function put<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const set = sets.get(key);
  if (set) set.add(value);
  else sets.set(key, new Set([value]));
}

function drop<K, V>(sets: Map<K, Set<V>>, key: K, value: V): void {
  const set = sets.get(key);
  if (set?.delete(value) && set.size === 0) sets.delete(key);
}

/**
 * Creates a queue of appends for each stream. Streams do not wait for each other, except where one append breaks
 * a guard of another one, or repeats its id: such appends take effect in the order of the calls. An append is
 * judged by the log as it is after its call. That takes a look at the end of the log and one at the index of ids,
 * which all appends that wait for one share. Appends are stored at exact revisions, so that a faster writer is
 * noticed.
 */
export function createAppendQueue(settings: {
  sender: Sender;
  reader: LogInEventStoreDb;
  tail: Tail;
  ids: EventIds;
  textSeal: TextSeal;
}): AppendQueue {
  const { sender, reader, tail, ids: index, textSeal } = settings;
  const { memory } = tail;
  const sealFor = sealInOrder(textSeal);
  const lanes = new Map<Stream, Lane>();
  const unanswered = new Unanswered();
  const running = new Set<Promise<void>>();
  let waitingCount = 0;
  let waitingSize = 0;
  let underWay = 0;
  let isPlanned = false;
  let isClosed = false;

  function enqueue(
    append: Append,
    seal: Seal,
    resolve: WaitingAppend['resolve'],
    reject: WaitingAppend['reject'],
  ): void {
    if (isClosed) throw unavailable('the event store is closed');
    if (waitingCount >= MAX_WAITING || waitingSize >= MAX_WAITING_SIZE)
      throw unavailable('too many appends are waiting');
    const bad = append.events.find(({ id }) => !EVENT_ID.test(id));
    if (bad) throw new Error(`an event id must be a UUID in lower case, not ${bad.id.slice(0, 50)}`);
    const giveUpAt = performance.now() + GIVE_UP_MS;
    const entry = { ...prepare(append, seal), resolve, reject, giveUpAt, blockers: 0, blocked: [] };
    unanswered.add(entry);
    count([entry], 1);
    laneOf(append.stream).waiting.push(entry);
    plan();
  }

  function laneOf(stream: Stream): Lane {
    const lane = lanes.get(stream) ?? { waiting: [], isBusy: false };
    lanes.set(stream, lane);
    return lane;
  }

  function count(entries: readonly Entry[], sign: 1 | -1): void {
    waitingCount += sign * entries.length;
    for (const { size } of entries) waitingSize += sign * size;
  }

  /** Begins what can begin, after this turn of the event loop: appends of one turn may go together. */
  function plan(): void {
    if (isPlanned) return;
    isPlanned = true;
    setImmediate(() => {
      isPlanned = false;
      begin();
    });
  }

  function begin(): void {
    for (const [stream, lane] of lanes) {
      if (underWay >= MAX_UNDER_WAY) return;
      if (lane.isBusy) continue;
      const group = takeGroup(lane.waiting);
      if (group.length === 0) continue;
      lane.isBusy = true;
      // To the end, so that every stream has its turn.
      lanes.delete(stream);
      lanes.set(stream, lane);
      const done: Promise<void> = handle(stream, lane, group).finally(() => running.delete(done));
      running.add(done);
    }
  }

  /**
   * Takes what can go to the server as one append from the front of a stream's queue. Appends at any revision go
   * together, in their order.
   */
  function takeGroup(waiting: Entry[]): Entry[] {
    let taken = 0;
    let size = 0;
    for (const entry of waiting) {
      const isAlone = entry.append.expected !== 'any';
      size += entry.size;
      if (entry.blockers > 0 || (taken > 0 && (isAlone || size > MAX_GROUP_SIZE || taken >= MAX_GROUP)))
        break;
      taken += 1;
      if (isAlone) break;
    }
    const group = waiting.splice(0, taken);
    count(group, -1);
    underWay += taken;
    return group;
  }

  /** Answers the appends of a group. Those that lost a race for the stream wait again, before the others. */
  async function handle(stream: Stream, lane: Lane, group: readonly Entry[]): Promise<void> {
    let lost = new Set<Entry>();
    try {
      lost = new Set((await decide(stream, group)).filter((entry) => !isGivenUp(entry)));
    } catch (error) {
      const reason =
        error instanceof EventStoreUnavailable
          ? error
          : unavailable('the event log does not answer; retrying', error);
      for (const { reject } of group) reject(reason);
    }
    underWay -= group.length;
    for (const entry of group) if (!lost.has(entry)) unanswered.remove(entry);
    count([...lost], 1);
    lane.waiting.unshift(...lost);
    lane.isBusy = false;
    if (lane.waiting.length === 0) lanes.delete(stream);
    plan();
  }

  async function decide(stream: Stream, group: readonly Entry[]): Promise<Entry[]> {
    const ids = group.flatMap(({ events }) => events.map(({ id }) => id));
    const guarded = group.flatMap(({ append }) => guardedBy(append));
    const [{ append }] = group as [Entry];
    // The server checks an exact revision itself, so a stream that this process does not know need not be read.
    const given = append.expected !== 'any' && !memory.standing(stream) ? append.expected : undefined;
    const { known, revisions } = await lookAt(ids, given === undefined ? [stream, ...guarded] : guarded);
    if (given !== undefined) revisions.set(stream, given);
    const conflicts = await Promise.all(group.map(({ append }) => conflictOf(append, revisions)));
    const members = group.filter(({ append, events, resolve, reject }, index) => {
      const places = events.flatMap(({ id }) => known.get(id) ?? []);
      const deleted = [stream, ...guardedBy(append)].find(reader.isDeleted);
      const conflict = conflicts[index];
      if (deleted) reject(new StreamDamaged(deleted, DELETED));
      else if (places.length > 0) resolve(duplicate(stream, places));
      else if (conflict) resolve({ outcome: 'conflict', ...conflict });
      else return true;
      return false;
    });
    return members.length > 0 ? sender.send({ stream, revision: revisions.get(stream)!, members }) : [];
  }

  function isGivenUp({ giveUpAt, reject }: Entry): boolean {
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
      const [indexed, , ...learned] = await Promise.all([
        Promise.all(ids.map(inIndex)),
        tail.look(),
        ...unknownAmong(streams).map(learn),
      ]);
      // A stream may be known from a read that is ahead of what has been seen.
      const standings = streams.map((stream) => memory.standing(stream)?.position ?? 0);
      await tail.reach(Math.max(0, ...learned, ...standings));
      // Ids left to the index meanwhile may have been missing when it was asked.
      if (memory.base !== base || unknownAmong(streams).length > 0) continue;
      const places = [...indexed, ...ids.map((id) => memory.find(id))].filter((place) => place !== undefined);
      return {
        known: new Map(places.map((place) => [place.id, place])),
        revisions: new Map(streams.map((stream) => [stream, memory.standing(stream)!.revision])),
      };
    }
  }

  const unknownAmong = (streams: readonly Stream[]) =>
    [...new Set(streams)].filter((stream) => !memory.standing(stream));

  const learning = createSemaphore(STREAMS_AT_ONCE);
  const learn = (stream: Stream): Promise<Position> =>
    learning.run(async () => {
      const last = await reader.last(stream);
      memory.learn(stream, last);
      return last?.position ?? 0;
    });

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

  const inIndex = gather(
    async (ids: string[]) => {
      const found = await within(index.find(ids), INDEX_MS, () => {
        throw unavailable('the index of event ids did not answer');
      });
      return new Map(found.map((known) => [known.id, known]));
    },
    { restMs: LOOK_REST_MS },
  );

  async function fetch(places: readonly KnownId[]): Promise<Recorded[]> {
    const found = await Promise.all(
      places.map(({ stream, revision }) => reader.readStream(stream, { from: revision, limit: 1 })),
    );
    return found.flat().toSorted((a, b) => a.position - b.position);
  }

  return {
    async append(append) {
      const sealing = sealFor(append);
      // Nothing to wait for costs no turn.
      const seal = sealing instanceof Promise ? await sealing : sealing;
      return new Promise((resolve, reject) => enqueue(append, seal, resolve, reject));
    },
    async find(id) {
      const { known } = await lookAt([id], []);
      return (await fetch([...known.values()]))[0];
    },
    revisions: async (streams) => (await lookAt([], streams)).revisions,
    async close() {
      isClosed = true;
      while (lanes.size > 0) {
        plan();
        await (running.size > 0 ? Promise.race(running) : new Promise(setImmediate));
      }
    },
  };
}
