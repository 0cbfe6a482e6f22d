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
  isPrivate?: true | undefined;
}
export type Application =
  | { status: 'none' }
  | {
      status: ApplicationStatus;
      subject: ApplicationSubject;
      /** When the thread of a decided application closes; null while there is no such time. */
      threadClosesAt: string | null;
    };

const application: Aggregate<Application, ApplicationEvent> = {
  initial: { status: 'none' },
  evolve: (state, event): Application => {
    switch (event.type) {
      case 'ApplicationSubmitted': {
        const { coverLetter: _, ...subject } = event.data;
        return { status: 'submitted', subject, threadClosesAt: null };
      }
      case 'ApplicationWithdrawn':
        return state.status === 'none' ? state : { ...state, status: 'withdrawn', threadClosesAt: null };
      case 'ApplicationResubmitted':
        return state.status === 'none' ? state : { ...state, status: 'submitted', threadClosesAt: null };
      case 'ApplicationReconsidered':
        return state.status === 'none'
          ? state
          : { ...state, status: event.data.status, threadClosesAt: null };
      case 'ApplicationStatusChanged': {
        const { status, threadClosesAt = null } = event.data;
        return state.status === 'none' ? state : { ...state, status, threadClosesAt };
      }
    }
  },
};

export const applicationOf = (jobId: JobId, applicantId: UserId): AggregateRef<Application> => ({
  stream: applicationStream(jobId, applicantId),
  aggregate: application,
});
