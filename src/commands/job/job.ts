import type { JobEvent } from '../../events/domain-event.ts';
import type { GroupId, JobId, UserId } from '../../events/ids.ts';
import type { JobStatus } from '../../events/job.ts';
import { jobStream } from '../../events/streams.ts';
import type { Aggregate, AggregateRef } from '../command.ts';

export interface JobDetails {
  title: string;
  description: string;
  location: string | null;
}
export type Job =
  { status: 'none' } | { status: JobStatus; companyId: UserId; groupId: GroupId; details: JobDetails };

const job: Aggregate<Job, JobEvent> = {
  initial: { status: 'none' },
  evolve: (state, event): Job => {
    switch (event.type) {
      case 'JobPosted': {
        const { companyId, groupId, title, description, location } = event.data;
        return { status: 'open', companyId, groupId, details: { title, description, location } };
      }
      case 'JobDetailsChanged': {
        const { title, description, location } = event.data;
        return state.status === 'none' ? state : { ...state, details: { title, description, location } };
      }
      case 'JobClosed':
        return state.status === 'none' ? state : { ...state, status: 'closed' };
    }
  },
};

export const jobOf = (jobId: JobId): AggregateRef<Job> => ({ stream: jobStream(jobId), aggregate: job });
