import type { ApplicationStatus } from '../../events/application.ts';
import type { ApplicationEvent } from '../../events/domain-event.ts';
import type { ApplicationId, GroupId, JobId, UserId } from '../../events/ids.ts';
import { applicationStream } from '../../events/streams.ts';
import type { Aggregate, AggregateRef } from '../command.ts';

export interface ApplicationSubject {
  applicationId: ApplicationId;
  jobId: JobId;
  groupId: GroupId;
  applicantId: UserId;
}
export type Application = { status: 'none' } | { status: ApplicationStatus; subject: ApplicationSubject };

const application: Aggregate<Application, ApplicationEvent> = {
  initial: { status: 'none' },
  evolve: (state, event): Application => {
    switch (event.type) {
      case 'ApplicationSubmitted': {
        const { applicationId, jobId, groupId, applicantId } = event.data;
        return { status: 'submitted', subject: { applicationId, jobId, groupId, applicantId } };
      }
      case 'ApplicationWithdrawn':
        return state.status === 'none' ? state : { ...state, status: 'withdrawn' };
      case 'ApplicationResubmitted':
        return state.status === 'none' ? state : { ...state, status: 'submitted' };
      case 'ApplicationStatusChanged':
      case 'ApplicationReconsidered':
        return state.status === 'none' ? state : { ...state, status: event.data.status };
    }
  },
};

export const applicationOf = (jobId: JobId, applicantId: UserId): AggregateRef<Application> => ({
  stream: applicationStream(jobId, applicantId),
  aggregate: application,
});
