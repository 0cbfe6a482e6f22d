import type { Logger } from 'pino';
import type { EventStore, Position } from '../../events/event-store.ts';
import type { GroupId, MessageId, UserId } from '../../events/ids.ts';
import { type Progress, caughtUp } from '../../projections/projection.ts';
import type { Unread, UnreadOfUser } from '../../queries/unread.ts';
import type { ChatServer } from '../connection/connection.ts';
import { createLane } from '../delivery/lane.ts';
import type { Send } from '../delivery/wire.ts';
import { groupRoom, userRoom } from '../rooms/rooms.ts';
import type { WhoIsOnline } from './who-is-online.ts';

/** In a room of at most this many sockets, a deletion is told with the totals. */
const SMALL_ROOM = 20;
/** In a room of more sockets, a deletion is not told. */
const LARGE_ROOM = 200;
/** Numbers of users, or of groups, of groups of a user and of messages of a group that wait. The oldest beyond them are lost. */
const MOST_WAITING = 1_000;
const MOST_GROUPS = 20;
const MOST_MESSAGES = 100;
const READ_MODELS = ['conversations', 'chat_groups'] as const;

/** A message that was deleted. */
export interface Deleted {
  groupId: GroupId;
  messageId: MessageId;
  position: Position;
}

export interface UnreadQueries {
  unreadOf(asked: { userId: UserId; groupIds: readonly GroupId[] }): Promise<readonly Unread[]>;
  unreadWithout(asked: {
    userIds: readonly UserId[];
    messageIds: readonly MessageId[];
  }): Promise<readonly UnreadOfUser[]>;
  unreadTotal(userId: UserId): Promise<number | undefined>;
}

interface UnreadDeps {
  io: ChatServer;
  queries: UnreadQueries;
  store: Pick<EventStore, 'head'>;
  progress: Pick<Progress, 'reached'>;
  online: WhoIsOnline['online'];
  /** Sends to the sockets of all nodes. */
  send: Send;
  /** Writes to the sockets of this node. */
  write: Send;
  signal: AbortSignal;
  log: Logger;
}

/** Joins two sets of what waits. The oldest are forgotten beyond `most`. */
const joined = <T>(waiting: ReadonlySet<T>, next: ReadonlySet<T>, most: number): Set<T> =>
  new Set([...waiting.difference(next), ...next].slice(-most));

/**
 * Tells users what they have not read yet, when that changed otherwise than by a new message, which clients count. It is
 * read from the read model, for one user after the other, and of each user for all changes that wait.
 */
export function tellUnread({ io, queries, store, progress, online, send, write, signal, log }: UnreadDeps) {
  function tell(to: Send, userId: UserId, { groupId, ...counts }: Unread, total: number | undefined): void {
    const { unreadCount, readSeq, headSeq } = counts;
    const payload = { groupId, unreadCount, readSeq, headSeq, ...(total !== undefined && { total }) };
    if (!signal.aborted) to({ data: ['unreadChanged', payload] }, { rooms: new Set([userRoom(userId)]) });
  }

  async function tellReader(userId: UserId, groupIds: readonly GroupId[]): Promise<void> {
    if (!(await online([userId])).has(userId)) return;
    // Somebody who was removed must not learn how many messages were sent after that.
    await caughtUp(progress, await store.head(), READ_MODELS);
    const total = await queries.unreadTotal(userId);
    for (const unread of await queries.unreadOf({ userId, groupIds })) tell(send, userId, unread, total);
  }

  async function tellRoom(
    groupId: GroupId,
    messageIds: readonly MessageId[],
    position: Position,
  ): Promise<void> {
    const main = io.of('/');
    const ids = main.adapter.rooms.get(groupRoom(groupId));
    if (!ids || ids.size > LARGE_ROOM) return;
    const isSmall = ids.size <= SMALL_ROOM;
    const userIds = new Set([...ids].flatMap((id) => main.sockets.get(id)?.data.user.id ?? []));
    await caughtUp(progress, position, READ_MODELS);
    for (const { userId, ...unread } of await queries.unreadWithout({ userIds: [...userIds], messageIds }))
      tell(write, userId, unread, isSmall ? await queries.unreadTotal(userId) : undefined);
  }

  const failed = (err: unknown) =>
    log.warn({ err }, 'what a user has not read is not known; clients learn it when they ask');
  const moved = createLane<UserId, Set<GroupId>>({
    ...{ most: MOST_WAITING, failed },
    work: (userId, groupIds) => tellReader(userId, [...groupIds]),
    join: (waiting, next) => joined(waiting, next, MOST_GROUPS),
  });
  const deleted = createLane<GroupId, { messageIds: Set<MessageId>; position: Position }>({
    ...{ most: MOST_WAITING, failed },
    work: (groupId, { messageIds, position }) => tellRoom(groupId, [...messageIds], position),
    join: ({ messageIds }, next) => ({
      ...next,
      messageIds: joined(messageIds, next.messageIds, MOST_MESSAGES),
    }),
  });

  return {
    /** Tells a user, on all nodes, that its read marker in a group has moved. */
    moved: ({ userId, groupId }: { userId: UserId; groupId: GroupId }): void =>
      moved(userId, new Set([groupId])),

    /** Tells those users with sockets on this node who had not read a message that it was deleted. */
    deleted: ({ groupId, messageId, position }: Deleted): void =>
      deleted(groupId, { messageIds: new Set([messageId]), position }),
  };
}
