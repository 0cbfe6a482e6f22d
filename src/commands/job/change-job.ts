import { z } from 'zod';
import type { JobEvent } from '../../events/domain-event.ts';
import { JobId } from '../../events/ids.ts';
import { JobDescription, JobLocation, NewJobTitle } from '../../events/job.ts';
import { jobStream } from '../../events/streams.ts';
import { actorId, defineCommand } from '../command.ts';
import { ensure } from '../rejection.ts';
import { type Job, jobOf } from './job.ts';

const input = z.strictObject({
  jobId: JobId,
  title: NewJobTitle.optional(),
  description: JobDescription.optional(),
  location: JobLocation.nullable().optional(),
});

export const changeJob = defineCommand<z.infer<typeof input>, { job: Job }, JobEvent>({
  name: 'ChangeJob',
  input,
  refuses: ['JOB_NOT_FOUND', 'NOT_JOB_OWNER', 'JOB_CLOSED'],
  writes: ({ jobId }) => jobStream(jobId),
  reads: ({ jobId }) => ({ job: jobOf(jobId) }),
  decide: ({ jobId, title, description, location }, { job }, { actor }) => {
    ensure(job.status !== 'none', 'JOB_NOT_FOUND');
    ensure(job.companyId === actorId(actor), 'NOT_JOB_OWNER');
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
    return isSame ? [] : [{ type: 'JobDetailsChanged', data: { jobId, ...changed } }];
  },
});
