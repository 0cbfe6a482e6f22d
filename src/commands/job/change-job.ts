import { z } from 'zod';
import type { JobEvent } from '../../events/domain-event.ts';
import { JobId } from '../../events/ids.ts';
import { Conversations, HistoryFrom, JobDescription, JobLocation, NewJobTitle } from '../../events/job.ts';
import { jobStream } from '../../events/streams.ts';
import { defineCommand } from '../command.ts';
import { type Company, mayIn } from '../company/company.ts';
import { ensure } from '../rejection.ts';
import { type Job, companyOfJob, jobOf } from './job.ts';

const input = z.strictObject({
  jobId: JobId,
  title: NewJobTitle.optional(),
  description: JobDescription.optional(),
  location: JobLocation.nullable().optional(),
  conversations: Conversations.optional(),
  historyFrom: HistoryFrom.optional(),
});

/** Changes a job. How its conversations are held can be changed until somebody applies. */
export const changeJob = defineCommand<z.infer<typeof input>, { job: Job; company?: Company }, JobEvent>({
  name: 'ChangeJob',
  input,
  refuses: ['JOB_NOT_FOUND', 'NOT_JOB_OWNER', 'JOB_CLOSED', 'CONVERSATIONS_FIXED'],
  writes: ({ jobId }) => jobStream(jobId),
  reads: ({ jobId }) => ({ job: jobOf(jobId) }),
  readsThen: companyOfJob,
  decide: ({ jobId, title, description, location, ...chat }, { job, company }, { actor }) => {
    ensure(job.status !== 'none', 'JOB_NOT_FOUND');
    ensure(mayIn(company, 'changeJobs', actor, { jobId }), 'NOT_JOB_OWNER');
    ensure(job.status === 'open', 'JOB_CLOSED');
    const { details } = job;
    const changed = {
      title: title ?? details.title,
      description: description ?? details.description,
      location: location === undefined ? details.location : location,
    };
    const isSame =
      changed.title === details.title &&
      changed.description === details.description &&
      changed.location === details.location;
    const { conversations = job.chat.conversations, historyFrom = job.chat.historyFrom } = chat;
    const isSameChat = conversations === job.chat.conversations && historyFrom === job.chat.historyFrom;
    ensure(isSameChat || !job.isChatFixed, 'CONVERSATIONS_FIXED');
    const events: JobEvent[] = [];
    if (!isSame) events.push({ type: 'JobDetailsChanged', data: { jobId, ...changed } });
    if (!isSameChat) {
      const data = { jobId, groupId: job.groupId, conversations, historyFrom };
      events.push({ type: 'JobConversationsChanged', data });
    }
    return events;
  },
});
