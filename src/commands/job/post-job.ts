import { z } from 'zod';
import type { JobEvent } from '../../events/domain-event.ts';
import { GroupId, JobId, UserId } from '../../events/ids.ts';
import { Conversations, HistoryFrom, JobDescription, JobLocation, NewJobTitle } from '../../events/job.ts';
import { jobStream } from '../../events/streams.ts';
import { actorId, defineCommand } from '../command.ts';
import { type Company, companyOf, mayIn } from '../company/company.ts';
import { ensure } from '../rejection.ts';
import { type Job, jobOf } from './job.ts';

const input = z.strictObject({
  jobId: JobId,
  groupId: GroupId,
  /** Absent: that of the actor, its first owner. */
  companyId: UserId.optional(),
  title: NewJobTitle,
  description: JobDescription,
  location: JobLocation.nullish(),
  conversations: Conversations.optional(),
  historyFrom: HistoryFrom.optional(),
});

export const postJob = defineCommand<z.infer<typeof input>, { job: Job; company?: Company }, JobEvent>({
  name: 'PostJob',
  input,
  refuses: ['ROLE_NOT_ALLOWED'],
  opens: true,
  writes: ({ jobId }) => jobStream(jobId),
  reads: ({ jobId }) => ({ job: jobOf(jobId) }),
  readsThen: (_known, { companyId }, actor) => {
    const id = companyId ?? actorId(actor);
    return id === null ? {} : { company: companyOf(id) };
  },
  decide: ({ location = null, conversations, historyFrom, ...posting }, { job, company }, { actor }) => {
    ensure(actor !== 'system' && actor.role === 'company', 'ROLE_NOT_ALLOWED');
    ensure(mayIn(company, 'postJobs', actor), 'ROLE_NOT_ALLOWED');
    const { userId, companyId = userId } = { ...actor, ...posting };
    if (job.status !== 'none') return [];
    const chat = {
      ...(conversations === 'private' && { conversations }),
      ...(historyFrom === 'joined' && { historyFrom }),
    };
    const by = companyId !== userId && { postedBy: userId };
    return [{ type: 'JobPosted', data: { ...posting, location, companyId, ...by, ...chat } }];
  },
});
