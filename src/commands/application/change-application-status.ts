import { z } from 'zod';
import { ReviewStatus, StatusReason } from '../../events/application.ts';
import type { ApplicationEvent } from '../../events/domain-event.ts';
import { JobId, UserId } from '../../events/ids.ts';
import { applicationStream } from '../../events/streams.ts';
import { actorId, defineCommand } from '../command.ts';
import { type Job, jobOf } from '../job/job.ts';
import { require } from '../rejection.ts';
import { type Application, applicationOf } from './application.ts';

const input = z.strictObject({
  jobId: JobId,
  applicantId: UserId,
  status: ReviewStatus,
  reason: StatusReason.nullish(),
});

/** `rejected` is final: the applicant has left the group. Every other status may still be corrected. */
export const changeApplicationStatus = defineCommand<
  z.infer<typeof input>,
  { application: Application; job: Job },
  ApplicationEvent
>({
  name: 'ChangeApplicationStatus',
  input,
  writes: ({ jobId, applicantId }) => applicationStream(jobId, applicantId),
  reads: ({ jobId, applicantId }) => ({ application: applicationOf(jobId, applicantId), job: jobOf(jobId) }),
  decide: ({ status, reason = null }, { application, job }, { actor }) => {
    require(application.status !== 'none' && job.status !== 'none', 'APPLICATION_NOT_FOUND');
    require(job.companyId === actorId(actor), 'NOT_JOB_OWNER');
    require(application.status !== 'withdrawn', 'APPLICATION_WITHDRAWN');
    if (application.status === status) return [];
    require(application.status !== 'rejected', 'APPLICATION_DECIDED');
    return [{ type: 'ApplicationStatusChanged', data: { ...application.subject, status, reason } }];
  },
});
