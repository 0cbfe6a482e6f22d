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
      /** Who of the company sees to it. */
      assigneeId: UserId | null;
      /** When the thread of a decided application closes; null while there is no such time. */
      threadClosesAt: string | null;
    };

const application: Aggregate<Application, ApplicationEvent> = {
  initial: { status: 'none' },
  evolve: (state, event): Application => {
    if (event.type === 'ApplicationSubmitted') {
      const { coverLetter: _, ...subject } = event.data;
      return { status: 'submitted', subject, assigneeId: null, threadClosesAt: null };
    }
    if (state.status === 'none') return state;
    switch (event.type) {
      case 'ApplicationWithdrawn':
        return { ...state, status: 'withdrawn', threadClosesAt: null };
      case 'ApplicationResubmitted':
        return { ...state, status: 'submitted', threadClosesAt: null };
      case 'ApplicationReconsidered':
        return { ...state, status: event.data.status, threadClosesAt: null };
      case 'ApplicationStatusChanged': {
        const { status, threadClosesAt = null } = event.data;
        return { ...state, status, threadClosesAt };
      }
      case 'ApplicationAssigned':
        return { ...state, assigneeId: event.data.assigneeId };
    }
  },
};

export const applicationOf = (jobId: JobId, applicantId: UserId): AggregateRef<Application> => ({
  stream: applicationStream(jobId, applicantId),
  aggregate: application,
});
