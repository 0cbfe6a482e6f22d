import type { ConversationEvent } from '../events/domain-event.ts';
import type { Position } from '../events/event-store.ts';
import type { GroupId, MessageId } from '../events/ids.ts';
import type { Lookups } from '../commands/command.ts';
import type { Outcome } from '../commands/handle-command.ts';

/** A position as clients see it: opaque, so that only the server compares positions. */
export const encodePosition = (position: Position): string => String(position);

/** What the sender of a message hears, over REST and the socket alike. */
export function messageSentAnswer({ events, duplicate, position }: Outcome<ConversationEvent>) {
  const [sent] = events;
  if (sent?.type !== 'MessageSent') throw new Error('SendMessage always has a MessageSent to tell of');
  const { occurredAt, revision, data } = sent;
  return {
    messageId: data.messageId,
    seq: revision + 1,
    occurredAt,
    duplicate,
    position: encodePosition(position),
  };
}

/**
 * What the author of a change to a message hears, over REST and the socket alike: the seq of the change. One that had been
 * made before is told with the seq at which the message stands.
 */
export async function messageChangedAnswer(
  lookups: Lookups,
  { groupId, messageId }: { groupId: GroupId; messageId: MessageId },
  { events, position }: Outcome<ConversationEvent>,
) {
  const [changed] = events;
  const seq = changed ? changed.revision + 1 : (await lookups.message(groupId, messageId))?.changedSeq;
  return { seq: seq ?? 0, position: encodePosition(position) };
}
