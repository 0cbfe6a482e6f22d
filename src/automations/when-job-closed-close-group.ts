import { closeGroup } from '../commands/chat-group/close-group.ts';
import { defineAutomation } from './automation.ts';

export const whenJobClosedCloseGroup = defineAutomation({
  name: 'when-job-closed-close-group',
  on: 'JobClosed',
  follows: ({ data: { groupId } }) => ({ command: closeGroup, input: { groupId }, actor: 'system' }),
});
