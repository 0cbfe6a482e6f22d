import { type EventStore, NO_STREAM, type Revision } from '../../events/event-store.ts';
import type { GroupId } from '../../events/ids.ts';
import { type Stream, chatGroupStream, conversationStream } from '../../events/streams.ts';
import type { ChatServer } from '../connection/connection.ts';
import type { Send } from '../delivery/wire.ts';
import { groupRoom, groupsAmong } from './rooms.ts';

/** Maximum number of streams in one read of the log. */
const PAGE = 1_000;

/** Resolves with the revisions of any number of streams, read in pages; streams without events are absent. */
export async function revisionsOf(
  store: Pick<EventStore, 'revisions'>,
  streams: readonly Stream[],
): Promise<Map<Stream, Revision>> {
  const found = new Map<Stream, Revision>();
  for (let at = 0; at < streams.length; at += PAGE)
    for (const [stream, revision] of await store.revisions(streams.slice(at, at + PAGE)))
      found.set(stream, revision);
  return found;
}

/** The seq of the last event of a conversation, and the version of its group's roster; 0 for one without events. */
export interface Heads {
  headSeq: number;
  rosterHead: number;
}

/** Resolves with the heads of groups, from the log. */
export async function headsOf(
  store: Pick<EventStore, 'revisions'>,
  groupIds: readonly GroupId[],
): Promise<Map<GroupId, Heads>> {
  const streams = groupIds.flatMap((groupId) => [conversationStream(groupId), chatGroupStream(groupId)]);
  const revisions = await revisionsOf(store, streams);
  const headOf = (stream: Stream) => (revisions.get(stream) ?? NO_STREAM) + 1;
  return new Map(
    groupIds.map((groupId) => [
      groupId,
      { headSeq: headOf(conversationStream(groupId)), rosterHead: headOf(chatGroupStream(groupId)) },
    ]),
  );
}

export const headsOfOne = async (store: Pick<EventStore, 'revisions'>, groupId: GroupId): Promise<Heads> =>
  (await headsOf(store, [groupId])).get(groupId)!;

export interface HeadAnnouncer {
  announce(): Promise<void>;
  /** Makes the next call announce all heads. */
  afresh(): void;
}

/**
 * Announces to the rooms of this node the heads of their conversations and rosters. They come from the log and do not
 * depend on what this node received, so that even the last message of a quiet group cannot stay lost. Each
 * call announces the heads that moved since the last one.
 */
export function headAnnouncer(
  io: ChatServer,
  write: Send,
  store: Pick<EventStore, 'revisions' | 'head'>,
  epoch: string,
): HeadAnnouncer {
  let announced = new Map<GroupId, Heads>();
  let logHead = -1;
  let isAfresh = false;

  return {
    async announce() {
      const head = await store.head();
      if (isAfresh) announced = new Map();
      else if (head === logHead) return;
      isAfresh = false;
      const heads = await headsOf(store, groupsAmong(io.of('/').adapter.rooms.keys()));
      for (const [groupId, { headSeq, rosterHead }] of heads) {
        const before = announced.get(groupId);
        const groups = headSeq > 0 && headSeq !== before?.headSeq ? { [groupId]: headSeq } : undefined;
        const rosters = rosterHead === before?.rosterHead ? undefined : { [groupId]: rosterHead };
        if (groups ?? rosters)
          write(
            { data: ['heads', { groups: groups ?? {}, ...(rosters && { rosters }), epoch }] },
            { rooms: new Set([groupRoom(groupId)]) },
          );
      }
      announced = heads;
      logHead = head;
    },

    afresh() {
      isAfresh = true;
    },
  };
}
