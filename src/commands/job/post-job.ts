import { z } from 'zod';
import type { JobEvent } from '../../events/domain-event.ts';
import { GroupId, JobId } from '../../events/ids.ts';
import { Conversations, HistoryFrom, JobDescription, JobLocation, NewJobTitle } from '../../events/job.ts';
import { jobStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Job, jobOf } from './job.ts';

const input = z.strictObject({
  jobId: JobId,
  groupId: GroupId,
  title: NewJobTitle,
  description: JobDescription,
  location: JobLocation.nullish(),
  conversations: Conversations.optional(),
  historyFrom: HistoryFrom.optional(),
});

export const postJob = defineCommand<z.infer<typeof input>, { job: Job }, JobEvent>({
  name: 'PostJob',
  input,
  refuses: ['ROLE_NOT_ALLOWED'],
  opens: true,
  writes: ({ jobId }) => jobStream(jobId),
  reads: ({ jobId }) => ({ job: jobOf(jobId) }),
  decide: ({ location = null, conversations, historyFrom, ...posting }, { job }, { actor }) => {
    ensure(actor !== 'system' && actor.role === 'company', 'ROLE_NOT_ALLOWED');
    if (job.status !== 'none') return [];
    const chat = {
      ...(conversations === 'private' && { conversations }),
      ...(historyFrom === 'joined' && { historyFrom }),
    };
    return [{ type: 'JobPosted', data: { ...posting, location, companyId: actor.userId, ...chat } }];
  },
});
