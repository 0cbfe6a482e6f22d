import { removeMember } from '../commands/chat-group/remove-member.ts';
import { defineAutomation } from './automation.ts';

export const whenApplicationRejectedRemoveMember = defineAutomation({
  name: 'when-application-rejected-remove-member',
  on: 'ApplicationStatusChanged',
  follows: ({ data: { groupId, applicantId, status, isPrivate } }) =>
    status === 'rejected' && !isPrivate
      ? { command: removeMember, input: { groupId, userId: applicantId }, actor: 'system' }
      : undefined,
});
