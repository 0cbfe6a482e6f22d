import { addMember } from '../commands/chat-group/add-member.ts';
import { defineReaction } from './reaction.ts';

export const whenApplicationSubmittedAddMember = defineReaction({
  name: 'when-application-submitted-add-member',
  on: 'ApplicationSubmitted',
  follows: ({ data: { groupId, applicantId } }) => ({
    command: addMember,
    input: { groupId, userId: applicantId },
    actor: 'system',
  }),
});
