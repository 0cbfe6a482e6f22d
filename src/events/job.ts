import { z } from 'zod';
import { GroupId, JobId, UserId } from './ids.ts';
import { named, text } from './text.ts';

const time = z.iso.datetime({ precision: 3 });

const JobTitle = text(1, 200);
export const NewJobTitle = named(JobTitle);
export const JobDescription = text(1, 10_000);
export const JobLocation = text(1, 200);

export const JobStatus = z.enum(['open', 'closed']);
export type JobStatus = z.infer<typeof JobStatus>;

/**
 * `group`: all applicants are in the job's group. `private`: each has a thread with the company, and the job's group is
 * the team's room.
 */
export const Conversations = z.enum(['group', 'private']);
export type Conversations = z.infer<typeof Conversations>;

/** From where a member of the job's group sees its conversation: all of it, or what is said after it joined. */
export const HistoryFrom = z.enum(['start', 'joined']);
export type HistoryFrom = z.infer<typeof HistoryFrom>;

export const jobEvents = {
  JobPosted: z.strictObject({
    jobId: JobId,
    groupId: GroupId,
    companyId: UserId,
    /** Who of the company did it. Absent: its first owner. */
    postedBy: UserId.optional(),
    title: JobTitle,
    description: JobDescription,
    location: JobLocation.nullable(),
    /** Absent: `group` and `start`. */
    conversations: Conversations.optional(),
    historyFrom: HistoryFrom.optional(),
  }),
  /** Carries all details, changed or not. */
  JobDetailsChanged: z.strictObject({
    jobId: JobId,
    title: JobTitle,
    description: JobDescription,
    location: JobLocation.nullable(),
  }),
  /** Before anybody has applied. */
  JobConversationsChanged: z.strictObject({
    jobId: JobId,
    groupId: GroupId,
    conversations: Conversations,
    historyFrom: HistoryFrom,
  }),
  /** Somebody is about to apply: the conversations stay as they are from here on. */
  JobConversationsFixed: z.strictObject({ jobId: JobId }),
  /** With private conversations, threads and the team's room take messages until `roomsCloseAt`. */
  JobClosed: z.strictObject({ jobId: JobId, groupId: GroupId, roomsCloseAt: time.optional() }),
};
