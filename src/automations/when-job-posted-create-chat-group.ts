import { createChatGroup } from '../commands/chat-group/create-chat-group.ts';
import { defineAutomation } from './automation.ts';

/** Who posted a job is the admin of its group, which is the team's room where applicants have threads. */
export const whenJobPostedCreateChatGroup = defineAutomation({
  name: 'when-job-posted-create-chat-group',
  on: 'JobPosted',
  follows: ({ data: { groupId, jobId, title, companyId, postedBy, ...chat } }) => ({
    command: createChatGroup,
    input: {
      ...{ groupId, jobId, name: title, adminId: postedBy ?? companyId },
      ...(postedBy && { companyId }),
      ...(chat.conversations === 'private' && { kind: 'team' as const }),
      ...(chat.historyFrom && { historyFrom: chat.historyFrom }),
    },
    actor: 'system',
  }),
});
