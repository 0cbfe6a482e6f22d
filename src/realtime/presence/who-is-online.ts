import type { Logger } from 'pino';
import type { UserId } from '../../events/ids.ts';
import type { ChatSocket, User } from '../connection/connection.ts';
import { type Attendance, type OnlineRegistry, hasSockets } from './online-registry.ts';
import { type ReceivedTracker, type Whereabouts, whereaboutsElsewhere } from './received.ts';
import { type Users, placesOf } from './users.ts';

/** The users who are online, on any node. */
export interface WhoIsOnline {
  /** Rejects when the other nodes cannot be asked. */
  look(userIds: readonly UserId[]): Promise<Whereabouts>;
  /** Resolves with those of the users who have a socket; when the other nodes cannot be asked, on this node only. */
  online(userIds: readonly UserId[]): Promise<ReadonlySet<UserId>>;
}

/** The same in a cluster: it reports to the other nodes and asks them. */
export interface WhoIsOnlineInCluster extends WhoIsOnline {
  /** Records that the other nodes' knowledge of a user is out of date. */
  changed(userId: UserId): void;
  /** Reports what has changed, or everything if the registry has forgotten it. Called once a second. */
  report(): Promise<void>;
  /** Makes the next report include all users not reported since the last call, because reports are forgotten. */
  refresh(): void;
  /** Resolves with true if the user has sockets on other nodes; with false when that is unknown. */
  isElsewhere(userId: UserId): Promise<boolean>;
  /** Resolves with true if a handshake keeps the user within the limit on all nodes together. */
  admits(user: User, handshake: ChatSocket): Promise<boolean>;
}

interface Here {
  users: Users;
  tracker: ReceivedTracker;
}

/** Creates the `WhoIsOnline` of a node that works alone. */
export function whoIsOnlineHere({ users, tracker }: Here): WhoIsOnline {
  const reached: Whereabouts = {
    isOnline: (userId) => (users.find(userId)?.sockets.size ?? 0) > 0,
    hasReceived: tracker.hasReceived,
  };
  return {
    look: async () => reached,
    online: async (userIds) => new Set(userIds.filter((userId) => users.isOnline(userId))),
  };
}

/** Creates the `WhoIsOnline` of a node in a cluster. Clients stay connected when the registry is unreachable. */
export function whoIsOnlineInCluster(
  { users, tracker }: Here,
  { registry, maxSocketsPerUser, log }: { registry: OnlineRegistry; maxSocketsPerUser: number; log: Logger },
): WhoIsOnlineInCluster {
  const local = whoIsOnlineHere({ users, tracker });
  const others = whereaboutsElsewhere(registry);
  let rememberedSince = 0;
  let changed = new Set<UserId>();
  let reported = new Set<UserId>();

  const here = (userId: UserId): Attendance => {
    const user = users.find(userId);
    return { sockets: user ? placesOf(user) : 0, received: tracker.received(userId) };
  };

  function refreshAll(): void {
    for (const { id } of users.all()) changed.add(id);
  }

  async function reportChanged(): Promise<void> {
    if (changed.size === 0) return;
    const userIds = changed;
    changed = new Set();
    try {
      await registry.report(new Map([...userIds].map((userId) => [userId, here(userId)])));
      for (const userId of userIds) reported.add(userId);
    } catch (err) {
      // Reports about users that have gone expire by themselves.
      for (const userId of userIds) if (users.find(userId)) changed.add(userId);
      throw err;
    }
  }

  async function report(): Promise<void> {
    try {
      const since = await registry.since();
      if (since !== rememberedSince) refreshAll();
      rememberedSince = since;
      await reportChanged();
    } catch (err) {
      log.debug({ err }, 'could not tell the other nodes who is online here; retrying in 1 s');
    }
  }

  return {
    changed: (userId) => void changed.add(userId),
    report,

    refresh() {
      for (const { id } of users.all()) if (!reported.has(id)) changed.add(id);
      reported = new Set();
    },

    async isElsewhere(userId) {
      // If two nodes lose a user at once, one of them sees it.
      await report();
      try {
        return ((await registry.elsewhere([userId])).get(userId) ?? []).some(hasSockets);
      } catch {
        return false;
      }
    },

    async admits(user, handshake) {
      const { id, sockets, arriving } = user;
      // Handshakes behind this one are not counted: otherwise two would refuse each other.
      const ahead = [...arriving].indexOf(handshake);
      const attendance = { sockets: sockets.size + ahead + 1, received: tracker.received(id) };
      try {
        return await registry.admit(id, attendance, maxSocketsPerUser);
      } catch (err) {
        log.debug({ err }, 'could not count the sockets of a user on other nodes; counting this node only');
        changed.add(id);
        return true;
      }
    },

    async look(userIds) {
      const elsewhere = await others.look(userIds);
      const reached = await local.look(userIds);
      return {
        isOnline: (userId) => reached.isOnline(userId) || elsewhere.isOnline(userId),
        hasReceived: (...question) => reached.hasReceived(...question) || elsewhere.hasReceived(...question),
      };
    },

    async online(userIds) {
      const online = new Set(await local.online(userIds));
      try {
        for (const [userId, attendances] of await registry.elsewhere(userIds))
          if (attendances.some(hasSockets)) online.add(userId);
      } catch (err) {
        log.debug({ err }, 'could not ask the other nodes who is online; answering for this node only');
      }
      return online;
    },
  };
}
