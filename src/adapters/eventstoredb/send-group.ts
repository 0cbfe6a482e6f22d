import { isDeepStrictEqual } from 'node:util';
import { backOffMs, sleep } from '../../kit/back-off.ts';
import { type Recorded, type Revision, StreamDamaged } from '../../events/event-store.ts';
import type { Stream } from '../../events/streams.ts';
import { unavailable, type WaitingAppend } from '../event-log/batch.ts';
import type { AppendStream } from './append-stream.ts';
import { DELETED } from './client.ts';
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
  /** Takes events seen in the log. */
  see(events: readonly Recorded[]): void;
}

/**
 * Creates a sender that answers an append with what the log holds. A stored append is seen in the log, with
 * or without the server's answer, and two with the same ids at the same revision are stored as one. An
 * unknown outcome is looked up; if nothing is found, the same append is sent again.
 */
export function createSender(
  appends: AppendStream,
  reader: LogInEventStoreDb,
  /** Called with the true revision of a stream that has nothing after the revision of the group. */
  learn: (group: Group, revision: Revision) => void,
): Sender {
  const watched = new Map<string, (event: Recorded) => void>();

  /** Resolves with all events of a group once they have been seen. */
  function watch({ stream }: Group, ids: readonly string[]): Promise<Recorded[]> {
    const { promise, resolve } = Promise.withResolvers<Recorded[]>();
    const seen: Recorded[] = [];
    const see = (event: Recorded) => {
      if (event.stream === stream && seen.push(event) === ids.length) resolve(seen);
    };
    for (const id of ids) watched.set(id, see);
    return promise;
  }

  /** Resolves with the events in the log where the group was to be stored. */
  const readBack = ({ stream, revision }: Group, limit: number) =>
    reader.readStream(stream, { from: revision + 1, limit }).catch(() => undefined);

  async function attempt<Q extends Queued>(group: Group<Q>, ids: readonly string[]): Promise<Q[]> {
    const { stream, revision, members } = group;
    const events = members.flatMap(toProposed);
    const giveUpAt = Math.min(...members.map((member) => member.giveUpAt));
    const seen = watch(group, ids);
    for (let failures = 0; ; failures += 1) {
      const sent = appends.append(stream, revision, events);
      const answer = await Promise.race([sent.answer, seen.then(() => 'stored' as const)]);
      sent.forget();
      if (answer === 'deleted') throw new StreamDamaged(stream, DELETED);
      if (typeof answer === 'object' && 'refused' in answer) throw new Error(answer.refused);
      const elsewhere = typeof answer === 'object' && 'elsewhere' in answer ? answer.elsewhere : undefined;
      const found =
        (answer === 'stored' ? await within(seen, SEEN_MS, () => undefined) : undefined) ??
        (await readBack(group, ids.length));
      if (found && ids.every((id, index) => found[index]?.id === id)) {
        answerMembers(members, found);
        return [];
      }
      if (found && found.length > 0) return members;
      // Nothing is there: the stream is shorter than expected, or its end was truncated. Final, unless the outcome of
      // an earlier attempt is unknown.
      if (found && elsewhere !== undefined && failures === 0) {
        learn(group, elsewhere);
        return members;
      }
      if (performance.now() > giveUpAt) {
        const why =
          typeof answer === 'object' && 'unknown' in answer
            ? answer.unknown
            : 'EventStoreDB contradicts itself';
        throw unavailable(`the outcome of the append is unknown: ${why}`);
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
    see(events) {
      if (watched.size > 0) for (const event of events) watched.get(event.id)?.(event);
    },
  };
}

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
      JSON.stringify(event.data) === events[index]!.json,
  );
