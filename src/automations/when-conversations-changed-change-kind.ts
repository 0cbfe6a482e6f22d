import { changeKind } from '../commands/chat-group/change-kind.ts';
import type { Conversations } from '../events/job.ts';
import { defineAutomation } from './automation.ts';

/** Returns the kind of a job's own group. */
const kindFor = (conversations: Conversations): 'team' | 'job' =>
  conversations === 'private' ? 'team' : 'job';

export const whenConversationsChangedChangeKind = defineAutomation({
  name: 'when-conversations-changed-change-kind',
  on: 'JobConversationsChanged',
  follows: ({ data: { groupId, conversations, historyFrom } }) => ({
    command: changeKind,
    input: { groupId, kind: kindFor(conversations), historyFrom },
    actor: 'system',
  }),
});
