import type { FileId, GrantId, GroupId, HoldId, JobId, UserId } from './ids.ts';

/** The name of a stream: its category, a dash, and the key of its subject. */
export type Stream =
  | `account-${string}`
  | `job-${string}`
  | `application-${string}`
  | `chatGroup-${string}`
  | `conversation-${string}`
  | `file-${string}`
  | `grant-${string}`
  | `hold-${string}`
  | `retention-${string}`;

export const accountStream = (userId: UserId): Stream => `account-${userId}`;
export const jobStream = (jobId: JobId): Stream => `job-${jobId}`;
/** Keyed by job and applicant, so that the stream itself enforces "apply once". */
export const applicationStream = (jobId: JobId, applicantId: UserId): Stream =>
  `application-${jobId}~${applicantId}`;
export const chatGroupStream = (groupId: GroupId): Stream => `chatGroup-${groupId}`;
export const fileStream = (fileId: FileId): Stream => `file-${fileId}`;
export const grantStream = (grantId: GrantId): Stream => `grant-${grantId}`;
export const holdStream = (holdId: HoldId): Stream => `hold-${holdId}`;
export const retentionStream = (groupId: GroupId): Stream => `retention-${groupId}`;
export const conversationStream = (groupId: GroupId): Stream => `conversation-${groupId}`;
