import { z } from 'zod';
import type { JobEvent } from '../../events/domain-event.ts';
import { JobId } from '../../events/ids.ts';
import { jobStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { type Company, mayIn } from '../company/company.ts';
import { ensure } from '../rejection.ts';
import { type Job, REPLY_DAYS, daysAfter, companyOfJob, jobOf } from './job.ts';

const input = z.strictObject({
  jobId: JobId,
  /** For how long private conversations go on. */
  replyDays: z.int().min(0).optional(),
});

export const closeJob = defineCommand<z.infer<typeof input>, { job: Job; company?: Company }, JobEvent>({
  name: 'CloseJob',
  input,
  refuses: ['JOB_NOT_FOUND', 'NOT_JOB_OWNER'],
  writes: ({ jobId }) => jobStream(jobId),
  reads: ({ jobId }) => ({ job: jobOf(jobId) }),
  readsThen: companyOfJob,
  decide: ({ jobId, replyDays = REPLY_DAYS }, { job, company }, { actor, now }) => {
    ensure(job.status !== 'none', 'JOB_NOT_FOUND');
    ensure(actor === 'system' || mayIn(company, 'changeJobs', actor, { jobId }), 'NOT_JOB_OWNER');
    if (job.status === 'closed') return [];
    const closing = job.chat.conversations === 'private' && { roomsCloseAt: daysAfter(now, replyDays) };
    return [{ type: 'JobClosed', data: { jobId, groupId: job.groupId, ...closing } }];
  },
});
