import { z } from 'zod';
import type { JobEvent } from '../../events/domain-event.ts';
import { JobId } from '../../events/ids.ts';
import { jobStream } from '../../events/streams.ts';
import { actorId, defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Job, jobOf } from './job.ts';

const input = z.strictObject({ jobId: JobId });

export const closeJob = defineCommand<z.infer<typeof input>, { job: Job }, JobEvent>({
  name: 'CloseJob',
  input,
  refuses: ['JOB_NOT_FOUND', 'NOT_JOB_OWNER'],
  writes: ({ jobId }) => jobStream(jobId),
  reads: ({ jobId }) => ({ job: jobOf(jobId) }),
  decide: ({ jobId }, { job }, { actor }) => {
    ensure(job.status !== 'none', 'JOB_NOT_FOUND');
    ensure(job.companyId === actorId(actor), 'NOT_JOB_OWNER');
    return job.status === 'closed' ? [] : [{ type: 'JobClosed', data: { jobId, groupId: job.groupId } }];
  },
});
