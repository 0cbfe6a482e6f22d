import type { ActId, ApplicationId, FileId, GrantId, GroupId, HoldId, JobId, UserId } from './ids.ts';

/** The name of a stream: its category, a dash, and the key of its subject. */
export type Stream =
  | `account-${string}`
  | `company-${string}`
  | `job-${string}`
  | `application-${string}`
  | `notes-${string}`
  | `chatGroup-${string}`
  | `conversation-${string}`
  | `file-${string}`
  | `grant-${string}`
  | `hold-${string}`
  | `retention-${string}`
  | `operation-${string}`;

type CategoryOf<S extends Stream> = S extends `${infer C}-${string}` ? C : never;
export type Category = CategoryOf<Stream>;

const known: Record<Category, true> = {
  account: true,
  company: true,
  job: true,
  application: true,
  notes: true,
  chatGroup: true,
  conversation: true,
  file: true,
  grant: true,
  hold: true,
  retention: true,
  operation: true,
};
/** The categories of our streams. */
export const categories = Object.keys(known) as [Category, ...Category[]];

/** Returns the part of a stream's name before the first dash: the category of a stream of ours. */
export const categoryOf = (stream: string): string => stream.slice(0, Math.max(0, stream.indexOf('-')));
export const isOurs = (stream: string): boolean => Object.hasOwn(known, categoryOf(stream));

export const accountStream = (userId: UserId): Stream => `account-${userId}`;
/** A company has the id of its first owner. */
export const companyStream = (companyId: UserId): Stream => `company-${companyId}`;
export const jobStream = (jobId: JobId): Stream => `job-${jobId}`;
/** Keyed by job and applicant, so that the stream itself enforces "apply once". */
export const applicationStream = (jobId: JobId, applicantId: UserId): Stream =>
  `application-${jobId}~${applicantId}`;
export const notesStream = (applicationId: ApplicationId): Stream => `notes-${applicationId}`;
export const chatGroupStream = (groupId: GroupId): Stream => `chatGroup-${groupId}`;
export const fileStream = (fileId: FileId): Stream => `file-${fileId}`;
export const grantStream = (grantId: GrantId): Stream => `grant-${grantId}`;
export const holdStream = (holdId: HoldId): Stream => `hold-${holdId}`;
export const operationStream = (actId: ActId): Stream => `operation-${actId}`;
export const retentionStream = (groupId: GroupId): Stream => `retention-${groupId}`;
export const conversationStream = (groupId: GroupId): Stream => `conversation-${groupId}`;
