import { randomUUID } from 'node:crypto';
import type { EventStore, Position } from '../../../src/events/event-store.ts';
import { ClientMsgId, GroupId, MessageId, UserId } from '../../../src/events/ids.ts';
import { conversationStream } from '../../../src/events/streams.ts';
import { append, range } from '../language/appends.ts';
import { event } from '../language/example-events.ts';

/** With their texts, more than all buffers take between a server and a reader who does not read: Linux lets one grow to 32 MiB. */
const [APPENDS, MESSAGES] = [100, 100];
const TEXT = 'x'.repeat(4_000);

/** Lets a member say very much in a group. Resolves with the position of the last message. */
export async function talkAtLength(
  store: EventStore,
  { groupId: group, userId }: { groupId: string; userId: string },
): Promise<Position> {
  const [groupId, senderId] = [GroupId.parse(group), UserId.parse(userId)];
  const sent = () =>
    event('MessageSent', {
      ...{ groupId, messageId: MessageId.parse(randomUUID()), senderId, text: TEXT },
      ...{ clientMsgId: ClientMsgId.parse(randomUUID()), fileIds: [], replyTo: null },
    });
  const said = {
    occurredAt: new Date().toISOString(),
    metadata: { actorId: userId, correlationId: randomUUID(), causationId: null },
  };
  for (const _ of range(APPENDS))
    await store.append(append(conversationStream(groupId), range(MESSAGES).map(sent), said));
  return store.head();
}
