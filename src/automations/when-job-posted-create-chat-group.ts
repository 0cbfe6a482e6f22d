import { createChatGroup } from '../commands/chat-group/create-chat-group.ts';
import { defineAutomation } from './automation.ts';

/** The company is the admin of its job's group, which is the team's room where applicants have threads. */
export const whenJobPostedCreateChatGroup = defineAutomation({
  name: 'when-job-posted-create-chat-group',
  on: 'JobPosted',
  follows: ({ data: { groupId, jobId, title, companyId, conversations, historyFrom } }) => ({
    command: createChatGroup,
    input: {
      ...{ groupId, jobId, name: title, adminId: companyId },
      ...(conversations === 'private' && { kind: 'team' as const }),
      ...(historyFrom && { historyFrom }),
    },
    actor: 'system',
  }),
});
