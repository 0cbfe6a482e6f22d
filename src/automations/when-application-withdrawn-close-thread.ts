import { closeGroup } from '../commands/chat-group/close-group.ts';
import { defineAutomation } from './automation.ts';

/** Both sides may go on reading. */
export const whenApplicationWithdrawnCloseThread = defineAutomation({
  name: 'when-application-withdrawn-close-thread',
  on: 'ApplicationWithdrawn',
  follows: ({ data: { groupId, isPrivate } }) =>
    isPrivate ? { command: closeGroup, input: { groupId }, actor: 'system' } : undefined,
});
