import { createChatGroup } from '../commands/chat-group/create-chat-group.ts';
import { defineAutomation } from './automation.ts';

/** The company is the admin of its job's group. */
export const whenJobPostedCreateChatGroup = defineAutomation({
  name: 'when-job-posted-create-chat-group',
  on: 'JobPosted',
  follows: ({ data: { groupId, jobId, title, companyId } }) => ({
    command: createChatGroup,
    input: { groupId, jobId, name: title, adminId: companyId },
    actor: 'system',
  }),
});
