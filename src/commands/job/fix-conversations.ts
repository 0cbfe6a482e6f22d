import { z } from 'zod';
import type { JobEvent } from '../../events/domain-event.ts';
import { JobId } from '../../events/ids.ts';
import { jobStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Job, jobOf } from './job.ts';

const input = z.strictObject({ jobId: JobId });

/**
 * Lets a job's conversations stay as they are. It comes before every application: an application relies on the job as it
 * is afterwards, so nobody who applied finds the job's group turned into the team's room.
 */
export const fixConversations = defineCommand<z.infer<typeof input>, { job: Job }, JobEvent>({
  name: 'FixConversations',
  input,
  refuses: ['JOB_NOT_FOUND'],
  writes: ({ jobId }) => jobStream(jobId),
  reads: ({ jobId }) => ({ job: jobOf(jobId) }),
  decide: ({ jobId }, { job }) => {
    ensure(job.status !== 'none', 'JOB_NOT_FOUND');
    if (job.isChatFixed || job.status === 'closed') return [];
    return [{ type: 'JobConversationsFixed', data: { jobId } }];
  },
});
