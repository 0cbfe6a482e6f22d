import { addMember } from '../commands/chat-group/add-member.ts';
import { defineReaction } from './reaction.ts';

export const whenApplicationResubmittedAddMember = defineReaction({
  name: 'when-application-resubmitted-add-member',
  on: 'ApplicationResubmitted',
  follows: ({ data: { groupId, applicantId } }) => ({
    command: addMember,
    input: { groupId, userId: applicantId },
    actor: 'system',
  }),
});
