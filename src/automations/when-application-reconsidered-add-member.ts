import { addMember } from '../commands/chat-group/add-member.ts';
import { defineReaction } from './reaction.ts';

export const whenApplicationReconsideredAddMember = defineReaction({
  name: 'when-application-reconsidered-add-member',
  on: 'ApplicationReconsidered',
  follows: ({ data: { groupId, applicantId } }) => ({
    command: addMember,
    input: { groupId, userId: applicantId },
    actor: 'system',
  }),
});
