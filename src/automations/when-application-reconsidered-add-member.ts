import { addMember } from '../commands/chat-group/add-member.ts';
import { defineAutomation } from './automation.ts';

export const whenApplicationReconsideredAddMember = defineAutomation({
  name: 'when-application-reconsidered-add-member',
  on: 'ApplicationReconsidered',
  follows: ({ data: { groupId, applicantId, isPrivate } }) =>
    isPrivate ? undefined : { command: addMember, input: { groupId, userId: applicantId }, actor: 'system' },
});
