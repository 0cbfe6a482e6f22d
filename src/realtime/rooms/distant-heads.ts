import type { EventStore, Position } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { Progress } from '../../projections/projection.ts';
import type { ChatSocket, User } from '../connection/connection.ts';
import type { Users } from '../presence/users.ts';
import { groupRoom } from './rooms.ts';

/** Resolves with the heads of a user's threads that have moved after a position, by the read model. */
export type HeadsOfThreads = (asked: {
  userId: UserId;
  after: Position;
}) => Promise<readonly { groupId: GroupId; headSeq: number }[]>;

interface DistantDeps {
  users: Users;
  store: Pick<EventStore, 'head'>;
  progress: Pick<Progress, 'reached'>;
  headsOfThreads: HeadsOfThreads;
  epoch: string;
}

/** Number of heads in a frame, which then has at most 64 KiB. */
const PAGE = 1_000;
const CATCH_UP_MS = 2_000;
const START = -1;

/**
 * Tells sockets the heads of threads whose rooms they have not entered, because their users have more threads than a
 * socket gets rooms for. A client that finds itself behind asks for the events with `sync`, or for the room.
 */
export function distantHeads({ users, store, progress, headsOfThreads, epoch }: DistantDeps) {
  /** The users with so many threads, and the position up to which their sockets know the heads. */
  const known = new WeakMap<User, Position>();

  /** Resolves with the position up to which the read model, and with it who is a member, is known. */
  async function caughtUp(): Promise<Position | undefined> {
    const head = await store.head();
    return (await progress.reached(head, CATCH_UP_MS)) ? head : undefined;
  }

  async function tell(
    socket: ChatSocket,
    heads: readonly { groupId: GroupId; headSeq: number }[],
  ): Promise<void> {
    const distant = heads.filter(({ groupId }) => !socket.rooms.has(groupRoom(groupId)));
    for (let at = 0; at < distant.length && socket.connected; at += PAGE) {
      await socket.data.wire.drained();
      const page = distant.slice(at, at + PAGE).map(({ groupId, headSeq }) => [groupId, headSeq]);
      socket.emit('heads', { groups: Object.fromEntries(page), epoch });
    }
  }

  return {
    /** Tells a new socket all of them. */
    async introduce(socket: ChatSocket): Promise<void> {
      const { user } = socket.data;
      const position = await store.head();
      await tell(socket, await headsOfThreads({ userId: user.id, after: START }));
      if (!known.has(user)) known.set(user, position);
    },

    /** Tells all sockets what has moved since the last time. */
    async announce(): Promise<void> {
      for (const user of [...users.all()]) {
        const after = known.get(user);
        if (after === undefined) continue;
        const position = await caughtUp();
        if (position === undefined) return;
        if (position === after) continue;
        const heads = await headsOfThreads({ userId: user.id, after });
        for (const socket of user.sockets) await tell(socket, heads);
        known.set(user, position);
      }
    },
  };
}
