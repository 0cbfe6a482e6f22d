import type { Position } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { Candidate, MessageNotice } from '../notification.ts';

/** A message with a large audience, which is notified in slices. Times are in milliseconds since 1970. */
export interface FanOut {
  notice: MessageNotice;
  senderId: UserId;
  /** The version of the group, as in `roster`, whose members are the audience. */
  roster: number;
  sentAt: number;
  /** The time by which the message had been pushed to all members who were online. */
  pushedBy: number;
  /**
   * Before this time, members who are offline are notified; from then on, members who did not receive the
   * message.
   */
  decideAt: number;
}

/** The progress of a fan-out. It passes the members in the order of their ids. */
export interface FanOutPlace {
  /** The last member that was looked at; null before the first. */
  through: UserId | null;
  /** True in the second pass, which notifies members who were online and did not receive the message. */
  isDeciding: boolean;
  /** True if the first pass has found a member online, so that a second pass has to follow. */
  hasUndecided: boolean;
}

export type FanOutInWork = FanOut & FanOutPlace;

/** The port of the large audiences. Fan-outs survive a crash, including the last member that was looked at. */
export interface FanOuts {
  /**
   * Resolves with the oldest due fan-out of the next group after `after`, in a circle of group ids; undefined
   * when there is none. Only messages beyond the position count.
   */
  next(turn: { after: GroupId | undefined; beyond: Position }): Promise<FanOutInWork | undefined>;
  isEmpty(): Promise<boolean>;
  /**
   * Resolves with the next members to look at, at most `rows`. `isInAudience` is true if the message is for
   * that member. The last page is shorter.
   */
  members(fanOut: FanOutInWork, rows: number): Promise<{ userId: UserId; isInAudience: boolean }[]>;
  /**
   * Writes the candidates whose preferences allow it, and moves the fan-out to `to`, or ends it if `to` is
   * undefined. Both happen in one transaction. Throws when another process has moved the fan-out.
   */
  advance(
    fanOut: FanOutInWork,
    step: { to: FanOutPlace | undefined; candidates: readonly Candidate[] },
  ): Promise<void>;
  /** Resolves with the number of fan-outs, at most 10,000, and the time when the oldest message was sent. */
  backlog(): Promise<{ count: number; oldestSentAt: Date | null }>;
}
