import { openThread } from '../commands/chat-group/open-thread.ts';
import type { EventOf } from '../events/domain-event.ts';
import { type Automation, defineAutomation } from './automation.ts';

type Causes =
  'ApplicationSubmitted' | 'ApplicationResubmitted' | 'ApplicationReconsidered' | 'ApplicationStatusChanged';

const isFinal = (data: EventOf<Causes>['data']) => 'threadClosesAt' in data;

const openThreadOn = (on: Causes, name: string): Automation =>
  defineAutomation({
    name: `when-${name}-open-thread`,
    on,
    follows: ({ data }) => {
      if (!data.isPrivate || isFinal(data)) return undefined;
      const { groupId, jobId, applicationId, applicantId } = data;
      return { command: openThread, input: { groupId, jobId, applicationId, applicantId }, actor: 'system' };
    },
  });

/** A private application has a thread, which is open while the application is. */
export const whenApplicationActiveOpenThread: readonly Automation[] = [
  openThreadOn('ApplicationSubmitted', 'application-submitted'),
  openThreadOn('ApplicationResubmitted', 'application-resubmitted'),
  openThreadOn('ApplicationReconsidered', 'application-reconsidered'),
  openThreadOn('ApplicationStatusChanged', 'application-not-decided'),
];
