import type { ConversationEvent } from '../events/domain-event.ts';
import type { GroupId, MessageId } from '../events/ids.ts';
import type { Lookups } from '../commands/command.ts';
import type { Outcome } from '../commands/handle-command.ts';
import type { Positions } from './positions.ts';

type Encode = Pick<Positions, 'encode'>;

/** Returns the answer to the sender of a message, for REST and socket. */
export function messageSentAnswer(
  positions: Encode,
  { events, duplicate, position }: Outcome<ConversationEvent>,
) {
  const [sent] = events;
  if (sent?.type !== 'MessageSent') throw new Error('SendMessage must return a MessageSent');
  const { occurredAt, revision, data } = sent;
  return {
    messageId: data.messageId,
    seq: revision + 1,
    occurredAt,
    duplicate,
    position: positions.encode(position),
  };
}

/**
 * Resolves with the answer to the author of a change to a message, for REST and socket: the seq of the change, or of
 * the message's last change when this one had been made before.
 */
export async function messageChangedAnswer(
  { lookups, positions }: { lookups: Lookups; positions: Encode },
  { groupId, messageId }: { groupId: GroupId; messageId: MessageId },
  { events, position }: Outcome<ConversationEvent>,
) {
  const [changed] = events;
  const seq = changed
    ? changed.revision + 1
    : (await lookups.message(groupId, messageId, 'system'))?.changedSeq;
  return { seq: seq ?? 0, position: positions.encode(position) };
}
