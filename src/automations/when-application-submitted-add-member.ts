import { addMember } from '../commands/chat-group/add-member.ts';
import { defineAutomation } from './automation.ts';

export const whenApplicationSubmittedAddMember = defineAutomation({
  name: 'when-application-submitted-add-member',
  on: 'ApplicationSubmitted',
  follows: ({ data: { groupId, applicantId, isPrivate } }) =>
    isPrivate ? undefined : { command: addMember, input: { groupId, userId: applicantId }, actor: 'system' },
});
