import type { Position } from '../events/event-store.ts';
import type { GroupId, UserId } from '../events/ids.ts';
import type { AccountLetter } from './deliver/account-letters.ts';

export type Channel = 'email' | 'push';

/**
 * The path through the queue. Each lane has workers of its own, so that no lane waits for another. The slow
 * lanes are for large audiences, for batches that failed at first, and for batches that follow those.
 */
export type Lane = Channel | `${Channel}-slow`;

/** The subject of a notification: `subjectId` is the id of a message or of an application. */
export type NotificationKind = 'message' | 'application-submitted' | 'application-status';

/** One event, one recipient, one channel. This is the unit that is sent once. */
export interface Notification {
  /** The id of the event that causes the notification. */
  eventId: string;
  recipientId: UserId;
  channel: Channel;
  kind: NotificationKind;
  groupId: GroupId;
  subjectId: string;
  /** The seq of the message; 0 for other kinds. */
  seq: number;
  position: Position;
}

/** A recipient of an event, on every channel that their preferences allow. */
export type Candidate = Omit<Notification, 'channel'>;

/** A candidate without its recipient. */
export type Notice = Omit<Candidate, 'recipientId'>;

/** The notice of a message. */
export type MessageNotice = Notice & { kind: 'message' };

/** Notifications that are sent together, to one recipient on one channel. The id stays the same on every retry. */
export interface Batch {
  batchId: string;
  recipientId: UserId;
  channel: Channel;
  /** In log order. */
  notifications: Notification[];
  /** Number of attempts that failed for a temporary reason. */
  attempts: number;
  /** The letter that the batch carries in place of notifications. */
  letter?: AccountLetter | undefined;
}

/** The reason why a notification was not sent after all. */
export type Skipped =
  'read' | 'deleted' | 'left' | 'muted' | 'channel-off' | 'superseded' | 'no-address' | 'unknown-recipient';
export type NotificationOutcome = { eventId: string; outcome: 'sent' | Skipped };
