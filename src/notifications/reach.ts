import type { GroupId, UserId } from '../events/ids.ts';

/** The port of who hears it live. */
export interface Reach {
  /** Whether the user has a socket now. */
  isOnline(userId: UserId): boolean;
  /**
   * Whether what was sent of that group to the user's sockets up to `at` (milliseconds since 1970) is known to have arrived,
   * because a ping that was sent later has been answered. Remembered for a minute after the last socket has gone.
   */
  hasReceived(userId: UserId, at: number, groupId: GroupId): boolean;
}
