import { isDeepStrictEqual } from 'node:util';
import { backOffMs, sleep } from '../../kit/back-off.ts';
import { type Recorded, type Revision, StreamDamaged } from '../../events/event-store.ts';
import type { Stream } from '../../events/streams.ts';
import { unavailable, type WaitingAppend } from '../event-log/batch.ts';
import type { AppendAnswer, AppendStream, ProposedEvent } from './append-stream.ts';
import { DELETED, type StoredRecord } from './client.ts';
import { type LogInEventStoreDb, toProposed } from './reader.ts';
import { within } from '../../kit/deadline.ts';

/** Time that an append waits after its answer to be seen in the log, before it is read there. */
const SEEN_MS = 100;
const BACK_OFF_MS = { first: 50, most: 1_000 };

/** An append that may be judged and sent more than once before it is answered. */
export interface Queued extends WaitingAppend {
  /** The time at which the caller is told that the outcome is unknown; milliseconds of `performance.now()`. */
  giveUpAt: number;
}

/** Appends to one stream that go to the server as one. */
export interface Group<Q extends Queued = Queued> {
  stream: Stream;
  /** The present revision of the stream. */
  revision: Revision;
  members: Q[];
}

export interface Sender {
  /**
   * Stores a group at exactly its revision and answers its members. Resolves with those that must be judged
   * again, because the stream has moved: none of them is or will be stored at this revision.
   */
  send<Q extends Queued>(group: Group<Q>): Promise<Q[]>;
  /**
   * Returns, or resolves with, the events in records that were seen in the log, like the reader, and answers their
   * appends.
   */
  see(records: readonly StoredRecord[]): Recorded[] | Promise<Recorded[]>;
}

/** An event that was sent and not yet seen. */
interface Watch {
  see(event: Recorded): void;
  /** Returns the event in a record with its id; undefined if the record has other contents. */
  read(record: StoredRecord): Recorded | undefined;
}

/** Reads a record by comparing it with what was sent, which costs far less than parsing and checking it. */
const readAs =
  ({ append, occurredAt }: Queued, { id, type, v, data }: Queued['events'][number], sent: ProposedEvent) =>
  (record: StoredRecord): Recorded | undefined => {
    const isSame =
      record.stream === append.stream &&
      record.type === sent.type &&
      sent.data.equals(record.data) &&
      sent.metadata.equals(record.metadata);
    if (!isSame) return undefined;
    const { stream, revision, position } = record;
    const { actorId, correlationId, causationId, reliedOn, trace, via } = append.metadata;
    const metadata = {
      ...{ actorId, correlationId, causationId },
      ...(reliedOn && { reliedOn }),
      ...(trace !== undefined && { trace }),
      ...(via && { via }),
    };
    return { type, data, v, id, stream, revision, position, occurredAt, metadata } as Recorded;
  };

/**
 * Creates a sender that answers an append with what the log holds. A stored append is seen in the log, with
 * or without the server's answer, and two with the same ids at the same revision are stored as one. An
 * unknown outcome is looked up; if nothing is found, the same append is sent again.
 */
export function createSender(appends: AppendStream, reader: LogInEventStoreDb): Sender {
  const watched = new Map<string, Watch>();

  /** Resolves with all events of a group once they have been seen. */
  function watch(
    { stream, revision, members }: Group,
    proposed: readonly ProposedEvent[],
  ): Promise<Recorded[]> {
    const { promise, resolve } = Promise.withResolvers<Recorded[]>();
    const seen: Recorded[] = [];
    const see = (event: Recorded) => {
      // At another place, another process has stored an event with the same id.
      const isHere = event.stream === stream && event.revision === revision + 1 + seen.length;
      if (isHere && seen.push(event) === proposed.length) resolve(seen);
    };
    let at = 0;
    for (const member of members)
      for (const event of member.events)
        watched.set(event.id, { see, read: readAs(member, event, proposed[at++]!) });
    return promise;
  }

  /** Resolves with the events in the log where the group was to be stored. */
  const readBack = ({ stream, revision }: Group, limit: number) =>
    reader.readStream(stream, { from: revision + 1, limit }).catch(() => undefined);

  async function attempt<Q extends Queued>(group: Group<Q>, ids: readonly string[]): Promise<Q[]> {
    const { stream, revision, members } = group;
    const proposed = members.flatMap(toProposed);
    const giveUpAt = Math.min(...members.map((member) => member.giveUpAt));
    const seen = watch(group, proposed);
    for (let failures = 0; ; failures += 1) {
      const sent = appends.append(stream, revision, proposed);
      const answer = await Promise.race([sent.answer, seen.then(() => 'stored' as const)]);
      sent.forget();
      if (answer === 'deleted') throw new StreamDamaged(stream, DELETED);
      if (typeof answer === 'object' && 'refused' in answer) throw new Error(answer.refused);
      const elsewhere = elsewhereIn(answer);
      const found =
        (answer === 'stored' ? await within(seen, SEEN_MS, () => undefined) : undefined) ??
        (await readBack(group, ids.length));
      if (found && ids.every((id, index) => found[index]?.id === id)) {
        answerMembers(members, found);
        return [];
      }
      if (found && found.length > 0) return members;
      // The stream is shorter than expected, which is final unless the outcome of an earlier attempt is unknown. If
      // it is longer, the events there become readable once they are replicated.
      if (elsewhere !== undefined && elsewhere < revision && failures === 0) {
        for (const { resolve } of members) resolve({ outcome: 'conflict', stream, actual: elsewhere });
        return [];
      }
      if (performance.now() > giveUpAt) {
        throw unavailable(`the outcome of the append is unknown: ${whyUnknown(answer)}`);
      }
      if (failures > 0) await sleep(backOffMs(BACK_OFF_MS, failures));
    }
  }

  return {
    async send(group) {
      const ids = group.members.flatMap(({ events }) => events.map(({ id }) => id));
      try {
        return await attempt(group, ids);
      } catch (error) {
        for (const { reject } of group.members) reject(error as Error);
        return [];
      } finally {
        for (const id of ids) watched.delete(id);
      }
    },
    see(records) {
      if (watched.size === 0) return reader.decode(records);
      const own = records.map((record) => watched.get(record.id)?.read(record));
      for (const event of own) if (event) watched.get(event.id)?.see(event);
      const others = records.filter((_, index) => !own[index]);
      if (others.length === 0) return own.filter((event) => event !== undefined);
      const merge = (decoded: readonly Recorded[]) => {
        // Another process may have stored one of these ids.
        for (const event of decoded) watched.get(event.id)?.see(event);
        return [...own.filter((event) => event !== undefined), ...decoded].toSorted(
          (a, b) => a.position - b.position,
        );
      };
      const decoded = reader.decode(others);
      return decoded instanceof Promise ? decoded.then(merge) : merge(decoded);
    },
  };
}

const elsewhereIn = (answer: AppendAnswer): Revision | undefined =>
  typeof answer === 'object' && 'elsewhere' in answer ? answer.elsewhere : undefined;

const whyUnknown = (answer: AppendAnswer): string =>
  typeof answer === 'object' && 'unknown' in answer ? answer.unknown : 'EventStoreDB contradicts itself';

function answerMembers(members: readonly Queued[], found: readonly Recorded[]): void {
  let at = 0;
  for (const member of members) {
    const events = found.slice(at, (at += member.events.length));
    member.resolve({ outcome: isItself(member, events) ? 'appended' : 'duplicate', events });
  }
}

/** Another process may have stored other contents under the same ids at the same place. Those are the answer then. */
const isItself = ({ append, occurredAt, events }: Queued, stored: readonly Recorded[]): boolean =>
  stored.every(
    (event, index) =>
      event.occurredAt === occurredAt &&
      isDeepStrictEqual(event.metadata, append.metadata) &&
      (event.data === events[index]!.data || isDeepStrictEqual(event.data, events[index]!.data)),
  );
