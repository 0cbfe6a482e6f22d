import type { Logger } from 'pino';
import type { Role } from '../../events/account.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { Profile } from '../../queries/profile.ts';
import type { ChatServer, ChatSocket, Connection, User } from '../connection/connection.ts';
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

interface PresenceDeps {
  io: ChatServer;
  users: Users;
  hints: Pick<Hints, 'presence'>;
  queries: { profileOf: (userId: UserId) => Promise<Profile | null> };
  /** Resolves with true if the user has sockets on other nodes: then no hint is sent. */
  isElsewhere?: ((userId: UserId) => Promise<boolean>) | undefined;
  log: Logger;
}

/**
 * Notifies a user's groups when its first socket arrives and when its last one has gone. These hints are not
 * logged and may be lost. A company's people are in the rooms of threads where the applicant does not know of them: they
 * are announced where they are in the list of members.
 */
export function trackPresence({ io, users, hints, queries, isElsewhere, log }: PresenceDeps): Presence {
  const { adapter } = io.of('/');
  const present = new WeakSet<User>();

  const groupsOf = (socket: ChatSocket): GroupId[] => [
    ...groupsAmong(adapter.sids.get(socket.id) ?? []),
    ...socket.data.leftRooms,
  ];

  async function listedAmong({ id }: User, groups: readonly GroupId[]): Promise<GroupId[]> {
    const listed = new Set((await queries.profileOf(id))?.groupIds);
    return groups.filter((groupId) => listed.has(groupId));
  }

  /** Sends the hints unless the user is on another node, or has come or gone again before that is known. */
  async function announce(
    user: User,
    role: Role,
    online: boolean,
    groups: readonly GroupId[],
  ): Promise<void> {
    const isThere = await isElsewhere?.(user.id);
    const told = role === 'company' ? await listedAmong(user, groups) : groups;
    const now = users.find(user.id);
    const isCurrent = (now !== undefined && present.has(now)) === online;
    if (!isThere && isCurrent && told.length > 0) hints.presence(user.id, online, told);
  }

  function announceLater(
    { user, session: { actor } }: Connection,
    online: boolean,
    groups: readonly GroupId[],
  ) {
    if (groups.length === 0) return;
    announce(user, actor.role, online, groups).catch((err: unknown) =>
      log.warn({ err }, 'somebody came or went unannounced; lists of members show it'),
    );
  }

  return {
    arrived(socket) {
      const { user } = socket.data;
      clearTimeout(user.absence);
      user.absence = undefined;
      if (present.has(user)) return;
      present.add(user);
      announceLater(socket.data, true, groupsOf(socket));
    },

    leaving(socket) {
      const { user } = socket.data;
      if (user.sockets.size > 0 || !present.has(user)) return users.forget(user);
      const groups = groupsOf(socket);
      user.absence = setTimeout(() => {
        user.absence = undefined;
        if (user.sockets.size > 0) return;
        present.delete(user);
        announceLater(socket.data, false, groups);
        users.forget(user);
      }, GRACE_MS).unref();
    },
  };
}
