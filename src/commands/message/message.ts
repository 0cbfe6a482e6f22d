import { GroupId, MessageId } from '../../events/ids.ts';
import { type ExistingGroup, type ChatGroup, requireMember } from '../chat-group/chat-group.ts';
import type { ActorOrSystem, MessageFacts } from '../command.ts';
import { require } from '../rejection.ts';

/** What every command about an existing message is given. */
export const messageInput = { groupId: GroupId, messageId: MessageId };

/** The message as its members know it, in a group that still takes changes. */
export function requireMessage(
  group: ChatGroup,
  message: MessageFacts | undefined,
  actor: ActorOrSystem,
): { group: ExistingGroup; message: MessageFacts } {
  requireMember(group, actor);
  require(message !== undefined, 'MESSAGE_NOT_FOUND');
  return { group, message };
}

export const requireOpen = (group: ExistingGroup) => require(group.status === 'open', 'GROUP_CLOSED');
