import { z } from 'zod';
import { CoverLetter } from '../../events/application.ts';
import type { ApplicationEvent } from '../../events/domain-event.ts';
import { ApplicationId, GroupId, JobId, UserId } from '../../events/ids.ts';
import { applicationStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { type Job, jobOf } from '../job/job.ts';
import { ensure } from '../rejection.ts';
import { type Application, applicationOf } from './application.ts';

const input = z.strictObject({
  applicationId: ApplicationId,
  jobId: JobId,
  applicantId: UserId,
  coverLetter: CoverLetter.nullish(),
});

/**
 * Applies for a job. Applying twice changes nothing; the caller returns the ids of the first application.
 * After a withdrawal, `resubmitApplication` applies again. `fixConversations` comes first.
 */
export const apply = defineCommand<
  z.infer<typeof input>,
  { application: Application; job: Job },
  ApplicationEvent
>({
  name: 'Apply',
  input,
  refuses: ['ROLE_NOT_ALLOWED', 'JOB_NOT_FOUND', 'JOB_CLOSED'],
  opens: true,
  writes: ({ jobId, applicantId }) => applicationStream(jobId, applicantId),
  reads: ({ jobId, applicantId }) => ({ application: applicationOf(jobId, applicantId), job: jobOf(jobId) }),
  decide: ({ coverLetter = null, ...subject }, { application, job }, { actor, newId }) => {
    ensure(actor !== 'system' && actor.role === 'applicant', 'ROLE_NOT_ALLOWED');
    ensure(job.status !== 'none', 'JOB_NOT_FOUND');
    if (application.status !== 'none') return [];
    ensure(job.status === 'open', 'JOB_CLOSED');
    const group =
      job.chat.conversations === 'private'
        ? { groupId: GroupId.parse(newId()), isPrivate: true as const }
        : { groupId: job.groupId };
    return [{ type: 'ApplicationSubmitted', data: { ...subject, ...group, coverLetter } }];
  },
});
