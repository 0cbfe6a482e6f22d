import type { Position } from '../../events/event-store.ts';
import type { GroupId, UserId } from '../../events/ids.ts';
import type { Candidate, MessageNotice } from '../notification.ts';

/** A message with a large audience, which is told in slices. Times are milliseconds since 1970. */
export interface FanOut {
  notice: MessageNotice;
  senderId: UserId;
  /** The version of the group, as in `roster`, whose members are the audience. */
  roster: number;
  sentAt: number;
  /** By then it had been pushed to everybody who was online. */
  pushedBy: number;
  /** From then on those who did not receive it are told, before then those who are offline. */
  decideAt: number;
}

/** How far a fan-out has come. It passes the members in the order of their ids. */
export interface FanOutPlace {
  /** The last member that was looked at. */
  through: UserId | null;
  /** Whether it is in its second pass, which tells those who were online and did not receive the message. */
  isDeciding: boolean;
  /** Whether the first pass has met somebody who is online, so that a second one has to follow. */
  hasUndecided: boolean;
}

export type FanOutInWork = FanOut & FanOutPlace;

/** The port of the large audiences: what is in it survives every crash, down to the member it has come to. */
export interface FanOuts {
  /**
   * The oldest one that is due of the next group after `after`, in the order of group ids and around; only those of
   * messages beyond the position.
   */
  next(turn: { after: GroupId | undefined; beyond: Position }): Promise<FanOutInWork | undefined>;
  isEmpty(): Promise<boolean>;
  /** The next members to look at, `rows` at most, and whether each is in the audience. The last page is shorter. */
  members(fanOut: FanOutInWork, rows: number): Promise<{ userId: UserId; isInAudience: boolean }[]>;
  /**
   * One transaction: the candidates whose preferences allow it are written, and the fan-out moves on, or ends where no
   * place is given. Throws when somebody else has moved it.
   */
  advance(
    fanOut: FanOutInWork,
    step: { to: FanOutPlace | undefined; candidates: readonly Candidate[] },
  ): Promise<void>;
  /** How many are in work, 10,000 at most, and since when the oldest was sent. */
  backlog(): Promise<{ count: number; oldestSentAt: Date | null }>;
}
