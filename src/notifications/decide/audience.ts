import type { Members } from '../../commands/chat-group/chat-group.ts';
import type { EventOf } from '../../events/domain-event.ts';
import type { Recorded } from '../../events/event-store.ts';
import type { UserId } from '../../events/ids.ts';
import type { Candidate, MessageNotice } from '../notification.ts';

/**
 * A message and the members of the group when it was sent. It is small, because all messages of a group share
 * the members.
 */
export interface MessageAudience {
  notice: MessageNotice;
  senderId: UserId;
  members: Members;
  /** The version of the group to which `members` belongs. */
  roster: number;
  /** Milliseconds since 1970. */
  sentAt: number;
  /** `members` are some of those who may read the group, and few: the group's members are not read in their place. */
  isSelected?: true;
}

/** Returns the message with its audience: the members without the sender. */
export const audienceOf = (
  { id, revision, position, occurredAt, data }: Recorded<EventOf<'MessageSent'>>,
  members: Members,
  roster: number,
): MessageAudience => ({
  notice: {
    eventId: id,
    kind: 'message',
    groupId: data.groupId,
    subjectId: data.messageId,
    seq: revision + 1,
    position,
  },
  senderId: data.senderId,
  members,
  roster,
  sentAt: Date.parse(occurredAt),
});

/** Returns the number of users in the audience. */
export const sizeOf = ({ members, senderId }: MessageAudience): number =>
  members.size - (members.has(senderId) ? 1 : 0);

/** Returns a candidate for each user of the audience for whom `isAway` returns true. */
export function whoIsAway(
  { notice, senderId, members }: MessageAudience,
  isAway: (userId: UserId) => boolean,
): Candidate[] {
  const candidates: Candidate[] = [];
  for (const recipientId of members.keys())
    if (recipientId !== senderId && isAway(recipientId)) candidates.push({ ...notice, recipientId });
  return candidates;
}
