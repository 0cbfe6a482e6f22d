import type { GroupId, UserId } from '../../events/ids.ts';

/** All events between two times have arrived, except those of some groups. Times are in ms since 1970. */
export interface Received {
  from: number;
  until: number;
  /** Groups that the client has left by `leaveRoom`: it does not get their events. */
  leftRooms: readonly GroupId[];
}

/** One user's sockets on one node. */
export interface Attendance {
  /** Number of open sockets. */
  sockets: number;
  /** The events received by those sockets, and by sockets that closed within the last minute. */
  received: readonly Received[];
}

export const hasSockets = ({ sockets }: Attendance): boolean => sockets > 0;

/** A report is forgotten after this time unless it is repeated, so that a dead node is forgotten too. */
export const ATTENDANCE_MS = 60_000;

/** The port by which nodes share who is online. Each method rejects when the registry is unreachable. */
export interface OnlineRegistry {
  /** Reports users of this node. A user without sockets and without anything received is forgotten. */
  report(attendances: ReadonlyMap<UserId, Attendance>): Promise<void>;
  /**
   * Reports one user, unless the sockets on all nodes would then be more than `most`. Resolves with true if
   * it did. Concurrent calls of several nodes are handled one after the other.
   */
  admit(userId: UserId, attendance: Attendance, most: number): Promise<boolean>;
  /**
   * Resolves with the time since which the registry has forgotten nothing, in ms since 1970. Earlier reports
   * have to be repeated.
   */
  since(): Promise<number>;
  /** Resolves with the reports of the other nodes about these users; users without reports are absent. */
  elsewhere(userIds: readonly UserId[]): Promise<Map<UserId, Attendance[]>>;
}
