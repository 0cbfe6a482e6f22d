import { z } from 'zod';
import type { ApplicationEvent } from '../../events/domain-event.ts';
import { JobId, UserId } from '../../events/ids.ts';
import { applicationStream } from '../../events/streams.ts';
import { actorId, defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Application, applicationOf } from './application.ts';

const input = z.strictObject({ jobId: JobId, applicantId: UserId });

export const withdrawApplication = defineCommand<
  z.infer<typeof input>,
  { application: Application },
  ApplicationEvent
>({
  name: 'WithdrawApplication',
  input,
  refuses: ['APPLICATION_NOT_FOUND', 'NOT_APPLICANT', 'APPLICATION_DECIDED'],
  writes: ({ jobId, applicantId }) => applicationStream(jobId, applicantId),
  reads: ({ jobId, applicantId }) => ({ application: applicationOf(jobId, applicantId) }),
  decide: ({ applicantId }, { application }, { actor }) => {
    ensure(application.status !== 'none', 'APPLICATION_NOT_FOUND');
    ensure(applicantId === actorId(actor), 'NOT_APPLICANT');
    if (application.status === 'withdrawn') return [];
    ensure(application.status !== 'hired' && application.status !== 'rejected', 'APPLICATION_DECIDED');
    return [{ type: 'ApplicationWithdrawn', data: application.subject }];
  },
});
