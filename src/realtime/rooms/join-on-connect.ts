import type { Logger } from 'pino';
import type { EventStore, Position } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import { sleep } from '../../kit/back-off.ts';
import { gather } from '../../kit/gather.ts';
import type { Progress } from '../../projections/projection.ts';
import type { ChatSocket, User } from '../connection/connection.ts';
import { type Heads, headsOf } from './heads.ts';
import { groupRoom, groupsAmong, takeOut } from './rooms.ts';
import type { Rooms } from '../../queries/groups.ts';

const CATCH_UP_MS = 2_000;
const RETRY_MS = 1_000;
/** Number of rooms that are announced before the socket must have taken the announcements. */
const PAGE = 500;
/** A user in more groups gets a read of its own, so that no other user waits for it. */
const FEW_GROUPS = 100;

interface ArrivalDeps {
  store: Pick<EventStore, 'revisions'>;
  epoch: string;
  progress: Pick<Progress, 'reached'>;
  roomsOfUser: (userId: UserId) => Promise<Rooms>;
  /** Tells a socket the heads of threads whose rooms it has not entered. */
  introduce: (socket: ChatSocket) => Promise<void>;
  /** Returns the position that the read model must have reached. This node receives all later changes. */
  position: () => Position | Promise<Position>;
  /** Resolves once this node receives the packets for the rooms of its sockets. */
  subscribed: () => Promise<void> | undefined;
  arrived: (socket: ChatSocket) => void;
  log: Logger;
}

/**
 * Puts a new socket into the rooms of its user's groups, of very many threads the latest. The read model may lag behind what the broadcaster
 * has handled, and a membership may change between the question and the answer: then it asks again, because a
 * room must neither miss a member nor keep one that was removed.
 */
export function joinOnConnect({
  store,
  epoch,
  progress,
  roomsOfUser,
  introduce,
  position,
  subscribed,
  arrived,
  log,
}: ArrivalDeps) {
  const headsOfOne = gather((groupIds: GroupId[]) => headsOf(store, groupIds));

  /** Reads the heads for sockets that arrive together in one query: thousands may reconnect in one second. */
  async function read(groupIds: readonly GroupId[]): Promise<ReadonlyMap<GroupId, Heads>> {
    if (groupIds.length > FEW_GROUPS) return headsOf(store, groupIds);
    return new Map(
      await Promise.all(groupIds.map(async (groupId) => [groupId, (await headsOfOne(groupId))!] as const)),
    );
  }

  async function enter(socket: ChatSocket): Promise<boolean> {
    const { user, leftRooms, wire } = socket.data;
    const changesSeen = user.membershipChanges;
    if (!(await progress.reached(Math.max(user.placeChangedAt, await position()), CATCH_UP_MS))) return false;
    const { rooms, hasMore } = await roomsOfUser(user.id);
    if (changesSeen !== user.membershipChanges) return false;
    const entered = rooms.filter(({ groupId }) => !leftRooms.has(groupId));
    const groupIds = entered.map(({ groupId }) => groupId);
    if (socket.connected && !wire.isCut) void socket.join(groupIds.map(groupRoom));
    await subscribed();
    // The heads are read last: later events reach the socket, and earlier ones are below these heads.
    const heads = await read(groupIds);
    arrived(socket);
    for (const [index, { groupId, kind }] of entered.entries()) {
      if (index % PAGE === PAGE - 1) await wire.drained();
      if (socket.rooms.has(groupRoom(groupId)))
        socket.emit('joinRoom', { groupId, ...heads.get(groupId)!, epoch, kind });
    }
    if (hasMore) await introduce(socket);
    return true;
  }

  async function arrive(socket: ChatSocket): Promise<void> {
    while (socket.connected) {
      const changesSeen = socket.data.user.membershipChanges;
      try {
        if (await enter(socket)) break;
      } catch (err) {
        log.warn({ err }, 'could not find the rooms of a new socket; retrying in 1 s');
      }
      if (changesSeen !== socket.data.user.membershipChanges) continue;
      // Commands do not need the read model, so they do not wait any longer.
      socket.data.open();
      await sleep(RETRY_MS, undefined, { ref: false });
    }
    socket.data.open();
  }

  return {
    arrive,

    /**
     * Takes the sockets of a user out of all rooms at once, and puts them into those that it may read from a position
     * on. Meanwhile it hears nothing, and learns from the heads what was sent.
     */
    reenter(user: User, from: Position): void {
      user.membershipChanges += 1;
      user.placeChangedAt = Math.max(user.placeChangedAt, from);
      for (const socket of user.sockets) {
        for (const groupId of [...groupsAmong(socket.rooms), ...socket.data.leftRooms])
          if (takeOut(socket, groupId)) socket.emit('leaveRoom', { groupId, reason: 'removed' });
        void arrive(socket);
      }
    },
  };
}
