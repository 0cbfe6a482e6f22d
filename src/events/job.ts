import { z } from 'zod';
import { GroupId, JobId, UserId } from './ids.ts';
import { named, text } from './text.ts';

const JobTitle = text(1, 200);
export const NewJobTitle = named(JobTitle);
export const JobDescription = text(1, 10_000);
export const JobLocation = text(1, 200);

export const JobStatus = z.enum(['open', 'closed']);
export type JobStatus = z.infer<typeof JobStatus>;

export const jobEvents = {
  JobPosted: z.strictObject({
    jobId: JobId,
    groupId: GroupId,
    companyId: UserId,
    title: JobTitle,
    description: JobDescription,
    location: JobLocation.nullable(),
  }),
  /** Carries all details, changed or not. */
  JobDetailsChanged: z.strictObject({
    jobId: JobId,
    title: JobTitle,
    description: JobDescription,
    location: JobLocation.nullable(),
  }),
  JobClosed: z.strictObject({ jobId: JobId, groupId: GroupId }),
};
