import type { GroupId, UserId } from '../../events/ids.ts';
import type { ChatServer, ChatSocket, User } from '../connection/connection.ts';
import type { Hints } from './hints.ts';
import { groupsAmong } from '../rooms/rooms.ts';
import type { Users } from './users.ts';

/** A user that comes back within this time was never away. */
const GRACE_MS = 1_000;

export interface Presence {
  /** Handles a socket that has entered its rooms. */
  arrived(socket: ChatSocket): void;
  /** Handles a socket that is about to leave its rooms for good. */
  leaving(socket: ChatSocket): void;
}

/**
 * Notifies a user's groups when its first socket arrives and when its last one has gone. These hints are not
 * logged and may be lost. `isElsewhere` resolves with true if the user has sockets on other nodes: then no
 * hint is sent.
 */
export function trackPresence(
  io: ChatServer,
  users: Users,
  hints: Pick<Hints, 'presence'>,
  isElsewhere?: (userId: UserId) => Promise<boolean>,
): Presence {
  const { adapter } = io.of('/');
  const present = new WeakSet<User>();

  const groupsOf = (socket: ChatSocket): GroupId[] => [
    ...groupsAmong(adapter.sids.get(socket.id) ?? []),
    ...socket.data.leftRooms,
  ];

  function announce({ id }: User, online: boolean, groups: readonly GroupId[]): void {
    if (groups.length > 0) hints.presence(id, online, groups);
  }

  /** Sends the hints unless the user is on another node, or has come or gone again before that is known. */
  function announceUnlessElsewhere(user: User, online: boolean, groups: readonly GroupId[]): void {
    if (!isElsewhere) return announce(user, online, groups);
    void isElsewhere(user.id).then((isThere) => {
      const now = users.find(user.id);
      if (!isThere && (now !== undefined && present.has(now)) === online) announce(user, online, groups);
    });
  }

  return {
    arrived(socket) {
      const { user } = socket.data;
      clearTimeout(user.absence);
      user.absence = undefined;
      if (present.has(user)) return;
      present.add(user);
      announceUnlessElsewhere(user, true, groupsOf(socket));
    },

    leaving(socket) {
      const { user } = socket.data;
      if (user.sockets.size > 0 || !present.has(user)) return users.forget(user);
      const groups = groupsOf(socket);
      user.absence = setTimeout(() => {
        user.absence = undefined;
        if (user.sockets.size > 0) return;
        present.delete(user);
        announceUnlessElsewhere(user, false, groups);
        users.forget(user);
      }, GRACE_MS).unref();
    },
  };
}
