import { closeGroup } from '../commands/chat-group/close-group.ts';
import { defineAutomation } from './automation.ts';

export const whenJobClosedCloseGroup = defineAutomation({
  name: 'when-job-closed-close-group',
  on: 'JobClosed',
  // Private conversations go on for a while, see close-rooms.ts.
  follows: ({ data: { groupId, roomsCloseAt } }) =>
    roomsCloseAt === undefined ? { command: closeGroup, input: { groupId }, actor: 'system' } : undefined,
});
