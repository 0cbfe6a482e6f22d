import { z } from 'zod';
import { ApplicationId, GroupId, JobId, UserId } from './ids.ts';
import { text } from './text.ts';

/** What a company may set; `submitted` and `withdrawn` follow from the applicant's own acts. */
export const ReviewStatus = z.enum(['screening', 'interview', 'offer', 'hired', 'rejected']);
export type ReviewStatus = z.infer<typeof ReviewStatus>;

/** Every status of an application. */
export const ApplicationStatus = z.enum(['submitted', 'withdrawn', ...ReviewStatus.options]);
export type ApplicationStatus = z.infer<typeof ApplicationStatus>;

export const CoverLetter = text(1, 10_000);
export const StatusReason = text(1, 1_000);

const subject = {
  applicationId: ApplicationId,
  jobId: JobId,
  groupId: GroupId,
  applicantId: UserId,
  /** The group is a thread of the applicant and the company. Absent: it is the job's. */
  isPrivate: z.literal(true).optional(),
};

export const applicationEvents = {
  ApplicationSubmitted: z.strictObject({ ...subject, coverLetter: CoverLetter.nullable() }),
  ApplicationWithdrawn: z.strictObject(subject),
  /** The applicant has changed its mind after a withdrawal. */
  ApplicationResubmitted: z.strictObject({ ...subject, coverLetter: CoverLetter.nullable() }),
  ApplicationStatusChanged: z.strictObject({
    ...subject,
    status: ReviewStatus,
    reason: StatusReason.nullable(),
    /** After a final decision the thread takes messages until then. */
    threadClosesAt: z.iso.datetime({ precision: 3 }).optional(),
  }),
  /** Whom of the company's people it is assigned to; null for nobody. */
  ApplicationAssigned: z.strictObject({ ...subject, assigneeId: UserId.nullable() }),
  /** The company takes a rejection back. */
  ApplicationReconsidered: z.strictObject({
    ...subject,
    status: ReviewStatus.exclude(['rejected']),
    reason: StatusReason.nullable(),
  }),
};
