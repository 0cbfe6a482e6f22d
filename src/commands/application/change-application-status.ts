import { z } from 'zod';
import { ReviewStatus, StatusReason } from '../../events/application.ts';
import type { ApplicationEvent } from '../../events/domain-event.ts';
import { JobId, UserId } from '../../events/ids.ts';
import { applicationStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { type Company, mayIn } from '../company/company.ts';
import { type Job, REPLY_DAYS, companyOfJob, daysAfter, jobOf } from '../job/job.ts';
import { ensure } from '../rejection.ts';
import { type Application, applicationOf } from './application.ts';

const input = z.strictObject({
  jobId: JobId,
  applicantId: UserId,
  status: ReviewStatus,
  reason: StatusReason.nullish(),
  /** For how long a thread goes on after a final decision. */
  replyDays: z.int().min(0).optional(),
});

const isFinal = (status: ReviewStatus) => status === 'hired' || status === 'rejected';

/**
 * Changes the status of an application. Every decision may be corrected. A rejection takes the applicant out
 * of the job's group, and taking it back lets the applicant in again. A thread goes on for `replyDays` after a
 * final decision.
 */
export const changeApplicationStatus = defineCommand<
  z.infer<typeof input>,
  { application: Application; job: Job; company?: Company },
  ApplicationEvent
>({
  name: 'ChangeApplicationStatus',
  input,
  refuses: ['APPLICATION_NOT_FOUND', 'NOT_JOB_OWNER', 'APPLICATION_WITHDRAWN'],
  writes: ({ jobId, applicantId }) => applicationStream(jobId, applicantId),
  reads: ({ jobId, applicantId }) => ({ application: applicationOf(jobId, applicantId), job: jobOf(jobId) }),
  readsThen: companyOfJob,
  decide: (
    { jobId, status, reason = null, replyDays = REPLY_DAYS },
    { application, job, company },
    { actor, now },
  ) => {
    ensure(application.status !== 'none' && job.status !== 'none', 'APPLICATION_NOT_FOUND');
    ensure(mayIn(company, 'decide', actor, { jobId }), 'NOT_JOB_OWNER');
    ensure(application.status !== 'withdrawn', 'APPLICATION_WITHDRAWN');
    if (application.status === status) return [];
    const { subject } = application;
    return application.status === 'rejected' && status !== 'rejected'
      ? [{ type: 'ApplicationReconsidered', data: { ...subject, status, reason } }]
      : [
          {
            type: 'ApplicationStatusChanged',
            data: {
              ...{ ...subject, status, reason },
              ...(subject.isPrivate && isFinal(status) && { threadClosesAt: daysAfter(now, replyDays) }),
            },
          },
        ];
  },
});
