import { GroupId, MessageId } from '../../events/ids.ts';
import type { ExistingGroup } from '../chat-group/chat-group.ts';
import { type Room, requireInRoom } from '../chat-group/room.ts';
import type { RoomRight } from '../company/rights.ts';
import type { ActorOrSystem, MessageFacts } from '../command.ts';
import { ensure } from '../rejection.ts';

/** The input of every command about an existing message. */
export const messageInput = { groupId: GroupId, messageId: MessageId };

/**
 * Returns the message as the actor sees it, and its group. Throws if the actor has no such right in the room, or there is
 * no such message.
 */
export function requireMessage(
  known: Room & { message: MessageFacts | undefined },
  actor: ActorOrSystem,
  right: RoomRight,
): { group: ExistingGroup; message: MessageFacts } {
  requireInRoom(known, actor, right);
  const { group, message } = known;
  ensure(message !== undefined, 'MESSAGE_NOT_FOUND');
  return { group, message };
}

export const requireOpen = (group: ExistingGroup) => ensure(group.status === 'open', 'GROUP_CLOSED');
