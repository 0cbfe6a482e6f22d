import type { GroupRole } from '../events/chat-group.ts';
import type { ChatGroupEvent } from '../events/domain-event.ts';
import type { Recorded } from '../events/event-store.ts';

/** A user who may read a conversation, and since when without a break. */
export interface Reader {
  userId: string;
  role: GroupRole;
  since: string;
  /** The event that let the user in. */
  byEvent: string;
}

/** Returns who may read the conversation after some more events of its group, in the order in which they came. */
export function readersAfter(
  readers: ReadonlyMap<string, Reader>,
  events: readonly Recorded<ChatGroupEvent>[],
): ReadonlyMap<string, Reader> {
  const now = new Map(readers);
  const admit = (userId: string, role: GroupRole, { id, occurredAt }: Recorded<ChatGroupEvent>) =>
    now.set(userId, { ...(now.get(userId) ?? { userId, since: occurredAt, byEvent: id }), role });
  for (const event of events) {
    if (event.type === 'ChatGroupCreated') admit(event.data.adminId, 'admin', event);
    else if (event.type === 'MemberJoined') admit(event.data.userId, event.data.role, event);
    else if (event.type === 'MemberLeft' || event.type === 'MemberRemoved') now.delete(event.data.userId);
  }
  return now;
}
