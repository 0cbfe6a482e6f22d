import type { Position } from '../events/event-store.ts';
import type { GroupId, UserId } from '../events/ids.ts';
import type { AccountLetter } from './deliver/account-letters.ts';

export type Channel = 'email' | 'push';

/**
 * The way through the queue, each with workers of its own, so that no lane waits for another. The slow ones are for large
 * audiences, for what did not get through at once, and for what comes behind that.
 */
export type Lane = Channel | `${Channel}-slow`;

/** What somebody is told of: `subjectId` is a message's id, or an application's. */
export type NotificationKind = 'message' | 'application-submitted' | 'application-status';

/** One event, one recipient, one channel: what is promised to be sent once. */
export interface Notification {
  /** The event that it tells of. */
  eventId: string;
  recipientId: UserId;
  channel: Channel;
  kind: NotificationKind;
  groupId: GroupId;
  subjectId: string;
  /** Of the message; 0 for other kinds. */
  seq: number;
  position: Position;
}

/** Somebody who is to be told of an event, on every channel that their preferences allow. */
export type Candidate = Omit<Notification, 'channel'>;

/** What is told, whoever is told. */
export type Notice = Omit<Candidate, 'recipientId'>;

/** What is told of a message. */
export type MessageNotice = Notice & { kind: 'message' };

/** The notifications that go out together, to one recipient by one channel. Its id never changes, whoever retries. */
export interface Batch {
  batchId: string;
  recipientId: UserId;
  channel: Channel;
  /** In log order. */
  notifications: Notification[];
  /** Attempts that failed for a reason that may pass. */
  attempts: number;
  /** What the batch carries in place of notifications. */
  letter?: AccountLetter | undefined;
}

/** Why a notification was not sent after all. */
export type Skipped =
  'read' | 'deleted' | 'left' | 'muted' | 'channel-off' | 'superseded' | 'no-address' | 'unknown-recipient';
export type Outcome = { eventId: string; outcome: 'sent' | Skipped };
