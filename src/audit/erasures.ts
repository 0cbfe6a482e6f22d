import type { Recorded } from '../events/event-store.ts';
import type { GroupId, UserId } from '../events/ids.ts';
import { type Stream, accountStream, retentionStream } from '../events/streams.ts';
import { type PastStreams, eventsBetween } from './past-streams.ts';

/** Number of accounts read at a time. */
const AT_ONCE = 8;

/** Returns when the text of a message was erased; null while it is kept. */
export type ErasedAt = (message: { senderId: string; occurredAt: string }) => string | null;

/**
 * Resolves with when the texts of messages in a group were erased: with their senders, or with the month in which they
 * were sent. An erasure concerns the whole past, so this is as of now.
 */
export async function erasuresIn(
  streams: Pick<PastStreams, 'readStream'>,
  groupId: GroupId,
  senderIds: ReadonlySet<string>,
): Promise<ErasedAt> {
  const people = new Map<string, string>();
  const months = new Map<string, string>();
  const note = (erased: Map<string, string>, key: string, { occurredAt }: Recorded) => {
    if (!erased.has(key)) erased.set(key, occurredAt);
  };
  async function read(stream: Stream): Promise<void> {
    for await (const page of eventsBetween(streams, stream, { from: 0, to: Infinity }))
      for (const event of page)
        if (event.type === 'AccountErased') note(people, event.data.userId, event);
        else if (event.type === 'MonthExpired') note(months, event.data.month, event);
  }
  const waiting = [
    retentionStream(groupId),
    ...Array.from(senderIds, (id) => accountStream(id as UserId)),
  ].values();
  const takeFromQueue = async () => {
    for (const stream of waiting) await read(stream);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, takeFromQueue));
  return ({ senderId, occurredAt }) =>
    [people.get(senderId), months.get(occurredAt.slice(0, 7))]
      .filter((time) => time !== undefined)
      .toSorted()[0] ?? null;
}
