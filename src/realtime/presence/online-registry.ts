import type { GroupId, UserId } from '../../events/ids.ts';

/** Everything that happened between two moments has arrived, but for some groups; both are in ms since 1970. */
export interface Received {
  from: number;
  until: number;
  /** What the client does not want to hear it is not sent. */
  unheard: readonly GroupId[];
}

/** How one user is there, on one node. */
export interface Attendance {
  /** Open sockets. */
  sockets: number;
  /** What those sockets have received, and those that went within the last minute. */
  received: readonly Received[];
}

export const hasSockets = ({ sockets }: Attendance): boolean => sockets > 0;

/** What is told here is forgotten after so long, unless it is told again: so a node that dies is forgotten too. */
export const ATTENDANCE_MS = 60_000;

/** The port by which the nodes tell each other who is there. Each method rejects when it is out of reach. */
export interface OnlineRegistry {
  /** Tells how users are there on this node; one without sockets and without anything received is forgotten. */
  report(attendances: ReadonlyMap<UserId, Attendance>): Promise<void>;
  /**
   * Reports one user, unless the sockets on all nodes would then be more than `most`. Resolves with whether it did. Nodes
   * that ask at once are answered one after the other.
   */
  admit(userId: UserId, attendance: Attendance, most: number): Promise<boolean>;
  /** Since when it has forgotten nothing, in ms since 1970: what was told before has to be told again. */
  since(): Promise<number>;
  /** What the other nodes have told of these users; users of whom none has told anything are absent. */
  elsewhere(userIds: readonly UserId[]): Promise<Map<UserId, Attendance[]>>;
}
