import { addMember } from '../commands/chat-group/add-member.ts';
import { defineAutomation } from './automation.ts';

export const whenApplicationResubmittedAddMember = defineAutomation({
  name: 'when-application-resubmitted-add-member',
  on: 'ApplicationResubmitted',
  follows: ({ data: { groupId, applicantId, isPrivate } }) =>
    isPrivate ? undefined : { command: addMember, input: { groupId, userId: applicantId }, actor: 'system' },
});
