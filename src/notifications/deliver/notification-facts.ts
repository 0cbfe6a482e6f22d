import type { NotificationPreferences } from '../../events/account.ts';
import type { ApplicationStatus } from '../../events/application.ts';
import type { UserId } from '../../events/ids.ts';

/** The recipient of a letter, as in the log now. */
export interface Recipient {
  displayName: string;
  preferences: NotificationPreferences;
}

/** The current state of a message, for a letter about it. */
export interface MessageNews {
  messageId: string;
  groupId: string;
  groupName: string;
  senderName: string;
  /** Null for a message that consists of files, and for a deleted one. */
  text: string | null;
  /** Names of the files that were not refused. */
  fileNames: string[];
  isDeleted: boolean;
  /** True if the recipient's read marker has reached the message. */
  isRead: boolean;
}

/** The current state of an application, seen from one event about it. */
export interface ApplicationNews {
  eventId: string;
  groupId: string;
  jobTitle: string;
  companyName: string;
  applicantName: string;
  status: ApplicationStatus;
  /** The company's explanation of the status. */
  reason: string | null;
  /** True if the status has changed again since that event. */
  isSuperseded: boolean;
}

/**
 * The port of the facts that a worker needs before it sends. Each result is at least as new as the log was
 * when it was asked for. Rejects with `NotCaughtUp` when the read models are more than 2 s behind.
 */
export interface NotificationFacts {
  /** Resolves with undefined when there is no such account. */
  recipient(userId: UserId): Promise<Recipient | undefined>;
  /** Resolves with undefined unless the address is verified, so that strangers get no mail. */
  emailAddress(userId: UserId): Promise<string | undefined>;
  /** Resolves with those of the groups that the user may read. */
  groupsOf(userId: UserId, groupIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Resolves with the messages by message id. */
  messages(recipientId: UserId, messageIds: readonly string[]): Promise<ReadonlyMap<string, MessageNews>>;
  /** Resolves with those of the applications that the recipient may read, by event id. */
  applications(
    recipientId: UserId,
    events: readonly { eventId: string; applicationId: string }[],
  ): Promise<ReadonlyMap<string, ApplicationNews>>;
}
