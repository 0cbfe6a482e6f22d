import { assignThread } from '../commands/chat-group/assign-thread.ts';
import { defineAutomation } from './automation.ts';

export const whenApplicationAssignedAssignThread = defineAutomation({
  name: 'when-application-assigned-assign-thread',
  on: 'ApplicationAssigned',
  follows: ({ data: { groupId, jobId, applicantId, isPrivate } }) =>
    isPrivate
      ? { command: assignThread, input: { groupId, jobId, applicantId }, actor: 'system' }
      : undefined,
});
