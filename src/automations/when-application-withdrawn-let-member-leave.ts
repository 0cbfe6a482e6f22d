import { removeMember } from '../commands/chat-group/remove-member.ts';
import { defineAutomation } from './automation.ts';

/** Runs in the applicant's name, so that the group sees that the member left and was not removed. */
export const whenApplicationWithdrawnLetMemberLeave = defineAutomation({
  name: 'when-application-withdrawn-let-member-leave',
  on: 'ApplicationWithdrawn',
  // The applicant is no longer in the group.
  moot: ['GROUP_NOT_FOUND'],
  follows: ({ data: { groupId, applicantId, isPrivate } }) =>
    isPrivate
      ? undefined
      : {
          command: removeMember,
          input: { groupId, userId: applicantId },
          actor: { userId: applicantId, role: 'applicant' },
        },
});
