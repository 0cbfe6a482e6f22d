import type { Members } from '../../commands/chat-group/chat-group.ts';
import type { EventOf } from '../../events/domain-event.ts';
import type { Recorded } from '../../events/event-store.ts';
import type { UserId } from '../../events/ids.ts';
import type { Candidate, MessageNotice } from '../notification.ts';

/** A message and who was in the group: small, because the members are shared with every other message of the group. */
export interface MessageAudience {
  notice: MessageNotice;
  senderId: UserId;
  members: Members;
  /** The version of the group that the members are as of. */
  roster: number;
  /** Milliseconds since 1970. */
  sentAt: number;
}

/** Those who may have to be told of a message: the members, without the sender. */
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

/** How many may have to be told. */
export const sizeOf = ({ members, senderId }: MessageAudience): number =>
  members.size - (members.has(senderId) ? 1 : 0);

/** Those of a message's audience who are away, whatever that means now. */
export function whoIsAway(
  { notice, senderId, members }: MessageAudience,
  isAway: (userId: UserId) => boolean,
): Candidate[] {
  const candidates: Candidate[] = [];
  for (const recipientId of members.keys())
    if (recipientId !== senderId && isAway(recipientId)) candidates.push({ ...notice, recipientId });
  return candidates;
}
