import type { GroupId, UserId } from '../../events/ids.ts';

/** The reachability of some users, at one moment. */
export interface Whereabouts {
  /** Returns true if the user has a socket. */
  isOnline(userId: UserId): boolean;
  /**
   * Returns true if what was sent of that group to the user's sockets up to `at` (milliseconds since 1970) is
   * known to have arrived, because a later ping has been answered. This is remembered for a minute after the
   * last socket has gone.
   */
  hasReceived(userId: UserId, at: number, groupId: GroupId): boolean;
}

/** The port that shows who is reached live, on any node. */
export interface WhereaboutsSource {
  /** Looks up some users. Rejects when the nodes cannot be asked. */
  look(userIds: readonly UserId[]): Promise<Whereabouts>;
}
