import type { EventType } from '../events/domain-event.ts';
import type { Automation } from './automation.ts';
import { whenApplicationRejectedRemoveMember } from './when-application-rejected-remove-member.ts';
import { whenApplicationReconsideredAddMember } from './when-application-reconsidered-add-member.ts';
import { whenApplicationResubmittedAddMember } from './when-application-resubmitted-add-member.ts';
import { whenApplicationSubmittedAddMember } from './when-application-submitted-add-member.ts';
import { whenApplicationWithdrawnLetMemberLeave } from './when-application-withdrawn-let-member-leave.ts';
import { whenApplicationActiveOpenThread } from './when-application-active-open-thread.ts';
import { whenApplicationWithdrawnCloseThread } from './when-application-withdrawn-close-thread.ts';
import { whenConversationsChangedChangeKind } from './when-conversations-changed-change-kind.ts';
import { whenApplicationAssignedAssignThread } from './when-application-assigned-assign-thread.ts';
import { whenJobClosedCloseGroup } from './when-job-closed-close-group.ts';
import { whenJobPostedCreateChatGroup } from './when-job-posted-create-chat-group.ts';

/** All automations. */
export const automations: readonly Automation[] = [
  whenJobPostedCreateChatGroup,
  whenConversationsChangedChangeKind,
  whenApplicationSubmittedAddMember,
  whenApplicationResubmittedAddMember,
  whenApplicationWithdrawnLetMemberLeave,
  whenApplicationRejectedRemoveMember,
  whenApplicationReconsideredAddMember,
  ...whenApplicationActiveOpenThread,
  whenApplicationWithdrawnCloseThread,
  whenApplicationAssignedAssignThread,
  whenJobClosedCloseGroup,
];

/** The event types that trigger an automation. */
export const causes: readonly EventType[] = [...new Set(automations.map(({ on }) => on))];
