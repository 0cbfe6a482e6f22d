import { createChatGroup } from '../commands/chat-group/create-chat-group.ts';
import { defineReaction } from './reaction.ts';

/** The company is the admin of its job's group. */
export const whenJobPostedCreateChatGroup = defineReaction({
  name: 'when-job-posted-create-chat-group',
  on: 'JobPosted',
  follows: ({ data: { groupId, jobId, title, companyId } }) => ({
    command: createChatGroup,
    input: { groupId, jobId, name: title, adminId: companyId },
    actor: 'system',
  }),
});
