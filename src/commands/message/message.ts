import { GroupId, MessageId } from '../../events/ids.ts';
import { type ExistingGroup, type ChatGroup, requireMember } from '../chat-group/chat-group.ts';
import type { ActorOrSystem, MessageFacts } from '../command.ts';
import { ensure } from '../rejection.ts';

/** What every command about an existing message is given. */
export const messageInput = { groupId: GroupId, messageId: MessageId };

/** The message as its members know it, in a group that still takes changes. */
export function requireMessage(
  group: ChatGroup,
  message: MessageFacts | undefined,
  actor: ActorOrSystem,
): { group: ExistingGroup; message: MessageFacts } {
  requireMember(group, actor);
  ensure(message !== undefined, 'MESSAGE_NOT_FOUND');
  return { group, message };
}

export const requireOpen = (group: ExistingGroup) => ensure(group.status === 'open', 'GROUP_CLOSED');
