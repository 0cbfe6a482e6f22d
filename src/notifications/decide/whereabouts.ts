import type { GroupId, UserId } from '../../events/ids.ts';

/** What is known, at one moment, of how some users are reached. */
export interface Reached {
  /** Whether the user has a socket. */
  isOnline(userId: UserId): boolean;
  /**
   * Whether what was sent of that group to the user's sockets up to `at` (milliseconds since 1970) is known to have arrived,
   * because a ping that was sent later has been answered. Remembered for a minute after the last socket has gone.
   */
  hasReceived(userId: UserId, at: number, groupId: GroupId): boolean;
}

/** The port of who hears it live, on whatever node. */
export interface Reach {
  /** Looks at some users. Rejects when the nodes cannot be asked. */
  look(userIds: readonly UserId[]): Promise<Reached>;
}
