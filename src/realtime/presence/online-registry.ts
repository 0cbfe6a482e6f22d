import type { GroupId, UserId } from '../../events/ids.ts';

/** Everything that happened between two times has arrived, except in some groups. Times are in ms since 1970. */
export interface Received {
  from: number;
  until: number;
  /** Groups that the client has left by `leaveRoom`: their events are not sent to it. */
  unheard: readonly GroupId[];
}

/** One user's sockets on one node. */
export interface Attendance {
  /** Open sockets. */
  sockets: number;
  /** What those sockets have received, and those that closed within the last minute. */
  received: readonly Received[];
}

export const hasSockets = ({ sockets }: Attendance): boolean => sockets > 0;

/** A report is forgotten after this time unless it is repeated, so a node that dies is forgotten too. */
export const ATTENDANCE_MS = 60_000;

/** The port by which nodes share who is online. Each method rejects when the registry is unreachable. */
export interface OnlineRegistry {
  /** Reports users of this node. A user without sockets and without anything received is forgotten. */
  report(attendances: ReadonlyMap<UserId, Attendance>): Promise<void>;
  /**
   * Reports one user, unless the sockets on all nodes would then be more than `most`. Resolves with whether it did. Nodes
   * that ask at once are answered one after the other.
   */
  admit(userId: UserId, attendance: Attendance, most: number): Promise<boolean>;
  /** Resolves with the time since which it has forgotten nothing, in ms since 1970. Earlier reports have to be repeated. */
  since(): Promise<number>;
  /** Resolves with what the other nodes have reported about these users; users without reports are absent. */
  elsewhere(userIds: readonly UserId[]): Promise<Map<UserId, Attendance[]>>;
}
