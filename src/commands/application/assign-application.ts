import { z } from 'zod';
import type { ApplicationEvent } from '../../events/domain-event.ts';
import { JobId, UserId } from '../../events/ids.ts';
import { applicationStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { type Company, companyOf, mayIn } from '../company/company.ts';
import { type Job, jobOf } from '../job/job.ts';
import { ensure } from '../rejection.ts';
import { type Application, applicationOf } from './application.ts';

const input = z.strictObject({
  jobId: JobId,
  applicantId: UserId,
  /** Null for nobody. */
  assigneeId: UserId.nullable(),
});

/** Assigns an application to one of the company's people, who sees to it from then on. */
export const assignApplication = defineCommand<
  z.infer<typeof input>,
  { application: Application; job: Job; company?: Company },
  ApplicationEvent
>({
  name: 'AssignApplication',
  input,
  refuses: ['APPLICATION_NOT_FOUND', 'NOT_JOB_OWNER', 'USER_NOT_FOUND'],
  writes: ({ jobId, applicantId }) => applicationStream(jobId, applicantId),
  reads: ({ jobId, applicantId }) => ({ application: applicationOf(jobId, applicantId), job: jobOf(jobId) }),
  readsThen: ({ job }) => (job.status === 'none' ? {} : { company: companyOf(job.companyId) }),
  decide: ({ jobId, assigneeId }, { application, job, company }, { actor }) => {
    ensure(application.status !== 'none' && job.status !== 'none', 'APPLICATION_NOT_FOUND');
    ensure(mayIn(company, 'decide', actor, { jobId }), 'NOT_JOB_OWNER');
    ensure(assigneeId === null || company?.members.has(assigneeId) === true, 'USER_NOT_FOUND');
    if (application.assigneeId === assigneeId) return [];
    return [{ type: 'ApplicationAssigned', data: { ...application.subject, assigneeId } }];
  },
});
