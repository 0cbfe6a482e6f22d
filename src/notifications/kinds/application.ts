import type { EventOf } from '../../events/domain-event.ts';
import type { Recorded } from '../../events/event-store.ts';
import type { UserId } from '../../events/ids.ts';
import type { ApplicationNews } from '../deliver/notification-facts.ts';
import type { Candidate, NotificationKind } from '../notification.ts';
import type { Kind } from './kind.ts';

type ApplicationEvent = Recorded<
  EventOf<
    'ApplicationSubmitted' | 'ApplicationResubmitted' | 'ApplicationStatusChanged' | 'ApplicationReconsidered'
  >
>;

/** Returns the candidate for an event about an application. */
export const candidateFor = (
  { id, position, data }: ApplicationEvent,
  kind: NotificationKind,
  recipientId: UserId,
): Candidate => ({
  eventId: id,
  recipientId,
  kind,
  groupId: data.groupId,
  subjectId: data.applicationId,
  seq: 0,
  position,
});

/**
 * The part that the kinds about applications share. A rejected applicant is out of the group and is notified
 * all the same.
 */
export const aboutApplications = {
  topic: 'applications',
  isForMembers: false,
  news: (facts, recipientId, notifications) =>
    facts.applications(
      recipientId,
      notifications.map(({ eventId, subjectId }) => ({ eventId, applicationId: subjectId })),
    ),
  reasonToSkip: (application) => (!application || application.isSuperseded ? 'superseded' : undefined),
} as const satisfies Partial<Kind<never, ApplicationNews>>;
