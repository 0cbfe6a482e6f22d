import { closeGroup } from '../commands/chat-group/close-group.ts';
import { defineReaction } from './reaction.ts';

export const whenJobClosedCloseGroup = defineReaction({
  name: 'when-job-closed-close-group',
  on: 'JobClosed',
  follows: ({ data: { groupId } }) => ({ command: closeGroup, input: { groupId }, actor: 'system' }),
});
