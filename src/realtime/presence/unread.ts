import type { Logger } from 'pino';
import type { EventStore, Position } from '../../events/event-store.ts';
import type { GroupId, MessageId, UserId } from '../../events/ids.ts';
import { type Progress, caughtUp } from '../../projections/projection.ts';
import type { Unread, UnreadOfUser } from '../../queries/unread.ts';
import type { ChatServer } from '../connection/connection.ts';
import type { Send } from '../delivery/wire.ts';
import { groupRoom, userRoom } from '../rooms/rooms.ts';
import type { WhoIsOnline } from './who-is-online.ts';

/** In a room of at most this many sockets, a deletion is told with the totals. */
const SMALL_ROOM = 20;
/** In a room of more sockets, a deletion is not told. */
const LARGE_ROOM = 200;
/** Numbers of users and groups that may wait. Beyond them the oldest are lost, as hints may be. */
const MOST_USERS = 1_000;
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

/** Adds to a set of what waits, which forgets the oldest beyond `most`. */
function addTo<T>(waiting: Set<T>, each: T, most: number): void {
  waiting.delete(each);
  waiting.add(each);
  const [oldest] = waiting;
  if (waiting.size > most && oldest !== undefined) waiting.delete(oldest);
}

/** Returns the entry of a key, which is then the latest; the oldest is forgotten beyond `most`. */
function latestOf<K, V>(waiting: Map<K, V>, key: K, none: () => V, most: number): V {
  const value = waiting.get(key) ?? none();
  waiting.set(key, value);
  const [oldest] = waiting.keys();
  if (waiting.size > most && oldest !== undefined) waiting.delete(oldest);
  return value;
}

/** Returns a function that does the work, unless it is being done already. */
function oneAtATime(work: () => Promise<void>): () => void {
  let isWorking = false;
  return () => {
    if (isWorking) return;
    isWorking = true;
    void work().finally(() => (isWorking = false));
  };
}

/**
 * Tells users what they have not read yet, when that changed otherwise than by a new message, which clients count. It is
 * read from the read model, for one user after the other, and of each user for all changes that wait: so however many
 * changes there are, this takes one connection to the database at most for each of the two causes, and the pushes never
 * wait for it.
 */
export function tellUnread({ io, queries, store, progress, online, send, write, signal, log }: UnreadDeps) {
  const moved = new Map<UserId, Set<GroupId>>();
  const deleted = new Map<GroupId, { messageIds: Set<MessageId>; position: Position }>();

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

  const notKnown = (err: unknown) =>
    log.warn({ err }, 'what a user has not read is not known; clients learn it when they ask');

  const tellReaders = oneAtATime(async () => {
    for (const [userId, groupIds] of moved) {
      moved.delete(userId);
      await tellReader(userId, [...groupIds]).catch(notKnown);
    }
  });

  const tellRooms = oneAtATime(async () => {
    for (const [groupId, { messageIds, position }] of deleted) {
      deleted.delete(groupId);
      await tellRoom(groupId, [...messageIds], position).catch(notKnown);
    }
  });

  return {
    /** Tells a user, on all nodes, that its read marker in a group has moved. */
    moved({ userId, groupId }: { userId: UserId; groupId: GroupId }): void {
      addTo(
        latestOf(moved, userId, () => new Set<GroupId>(), MOST_USERS),
        groupId,
        MOST_GROUPS,
      );
      tellReaders();
    },

    /** Tells those users with sockets on this node who had not read a message that it was deleted. */
    deleted({ groupId, messageId, position }: Deleted): void {
      const none = () => ({ messageIds: new Set<MessageId>(), position });
      const waiting = latestOf(deleted, groupId, none, MOST_USERS);
      addTo(waiting.messageIds, messageId, MOST_MESSAGES);
      waiting.position = position;
      tellRooms();
    },
  };
}
