import { removeMember } from '../commands/chat-group/remove-member.ts';
import { defineAutomation } from './automation.ts';

/** Done in the applicant's name: the group hears that the member left, not that it was removed. */
export const whenApplicationWithdrawnLetMemberLeave = defineAutomation({
  name: 'when-application-withdrawn-let-member-leave',
  on: 'ApplicationWithdrawn',
  // The applicant is not in the group any more.
  moot: ['GROUP_NOT_FOUND'],
  follows: ({ data: { groupId, applicantId } }) => ({
    command: removeMember,
    input: { groupId, userId: applicantId },
    actor: { userId: applicantId, role: 'applicant' },
  }),
});
