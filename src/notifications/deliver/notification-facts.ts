import type { NotificationPreferences } from '../../events/account.ts';
import type { ApplicationStatus } from '../../events/application.ts';
import type { UserId } from '../../events/ids.ts';

/** Whom a letter goes to, as the log has it now. */
export interface Recipient {
  displayName: string;
  preferences: NotificationPreferences;
}

/** How a message stands now, and what a letter about it says. */
export interface MessageNews {
  messageId: string;
  groupId: string;
  groupName: string;
  senderName: string;
  /** Null for a message that consists of files, and for a deleted one. */
  text: string | null;
  /** Of the files that were not refused. */
  fileNames: string[];
  isDeleted: boolean;
  /** Whether the recipient's read marker has come so far. */
  isRead: boolean;
}

/** How an application stands now, seen from one event about it. */
export interface ApplicationNews {
  eventId: string;
  groupId: string;
  jobTitle: string;
  companyName: string;
  applicantName: string;
  status: ApplicationStatus;
  /** What the company said along with the status. */
  reason: string | null;
  /** Whether the status has changed again since that event. */
  isSuperseded: boolean;
}

/**
 * The port of what a worker asks before it sends. Every answer is at least as new as the log was when it was asked for.
 * Rejects with `NotCaughtUp` when the read models are more than 2 s behind.
 */
export interface NotificationFacts {
  /** Undefined when there is no such account. */
  recipient(userId: UserId): Promise<Recipient | undefined>;
  /** Undefined unless somebody has proved the address: strangers would get mail. */
  emailAddress(userId: UserId): Promise<string | undefined>;
  /** Those of the groups that the user is in. */
  groupsOf(userId: UserId, groupIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** By message id. */
  messages(recipientId: UserId, messageIds: readonly string[]): Promise<ReadonlyMap<string, MessageNews>>;
  /** By event id. */
  applications(
    events: readonly { eventId: string; applicationId: string }[],
  ): Promise<ReadonlyMap<string, ApplicationNews>>;
}
