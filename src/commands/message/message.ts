import { GroupId, MessageId } from '../../events/ids.ts';
import { type ExistingGroup, type ChatGroup, requireMember } from '../chat-group/chat-group.ts';
import type { ActorOrSystem, MessageFacts } from '../command.ts';
import { ensure } from '../rejection.ts';

/** The input of every command about an existing message. */
export const messageInput = { groupId: GroupId, messageId: MessageId };

/**
 * Returns the message as a member sees it, and its group. Throws if the actor is not a member or there is no
 * such message.
 */
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
