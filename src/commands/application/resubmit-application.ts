import { z } from 'zod';
import { CoverLetter } from '../../events/application.ts';
import type { ApplicationEvent } from '../../events/domain-event.ts';
import { GroupId, JobId, UserId } from '../../events/ids.ts';
import { applicationStream } from '../../events/streams.ts';
import { type ChatGroup, chatGroupOf } from '../chat-group/chat-group.ts';
import { actorId, defineCommand } from '../command.ts';
import { type Job, jobOf } from '../job/job.ts';
import { ensure } from '../rejection.ts';
import { type Application, applicationOf } from './application.ts';

const input = z.strictObject({
  groupId: GroupId,
  jobId: JobId,
  applicantId: UserId,
  coverLetter: CoverLetter.nullish(),
});

/**
 * Applies again after a withdrawal, while the job is open. An applicant whom an admin removed from the group
 * stays out.
 */
export const resubmitApplication = defineCommand<
  z.infer<typeof input>,
  { application: Application; job: Job; group: ChatGroup },
  ApplicationEvent
>({
  name: 'ResubmitApplication',
  input,
  refuses: ['APPLICATION_NOT_FOUND', 'NOT_APPLICANT', 'JOB_CLOSED', 'REMOVED_FROM_GROUP'],
  writes: ({ jobId, applicantId }) => applicationStream(jobId, applicantId),
  reads: ({ groupId, jobId, applicantId }) => ({
    application: applicationOf(jobId, applicantId),
    job: jobOf(jobId),
    group: { ...chatGroupOf(groupId), about: applicantId },
  }),
  decide: ({ groupId, applicantId, coverLetter = null }, { application, job, group }, { actor }) => {
    ensure(application.status !== 'none' && application.subject.groupId === groupId, 'APPLICATION_NOT_FOUND');
    ensure(applicantId === actorId(actor), 'NOT_APPLICANT');
    if (application.status !== 'withdrawn') return [];
    ensure(job.status === 'open', 'JOB_CLOSED');
    ensure(group.status !== 'none' && !group.removed.has(applicantId), 'REMOVED_FROM_GROUP');
    return [{ type: 'ApplicationResubmitted', data: { ...application.subject, coverLetter } }];
  },
});
