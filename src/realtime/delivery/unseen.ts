import type { AggregateLoader } from '../../commands/aggregate-cache.ts';
import { chatGroupOf } from '../../commands/chat-group/chat-group.ts';
import type { EventOf } from '../../events/domain-event.ts';
import type { EventStore, Recorded } from '../../events/event-store.ts';
import type { MessageId, UserId } from '../../events/ids.ts';
import { isUnknown } from '../../events/stored-events.ts';
import { type Progress, caughtUp } from '../../projections/projection.ts';
import { type Envelope, isConversationEvent } from '../../protocol/envelope.ts';

/**
 * Resolves with the members who do not see a message, because it was sent before they joined, for each of the messages
 * that some do not see; at least as the log was at the call. Rejects with `NotCaughtUp`.
 */
export type UnseenBy = (
  messageIds: readonly MessageId[],
) => Promise<ReadonlyMap<MessageId, readonly UserId[]>>;

export const createUnseenBy =
  ({
    store,
    progress,
    queries,
  }: {
    store: Pick<EventStore, 'head'>;
    progress: Pick<Progress, 'reached'>;
    queries: { unseenBy: UnseenBy };
  }): UnseenBy =>
  async (messageIds) => {
    await caughtUp(progress, await store.head(), ['conversations']);
    return queries.unseenBy(messageIds);
  };

type Edited = Recorded<EventOf<'MessageEdited'>>;
export const isEdit = (event: Recorded): event is Edited =>
  isConversationEvent(event) && !isUnknown(event) && event.type === 'MessageEdited';

/** Resolves with the messages that some of the events say anew, of groups whose members see them from joining on. */
export async function saidAnew(
  events: readonly Recorded[],
  loader: Pick<AggregateLoader, 'load'>,
): Promise<MessageId[]> {
  const found: MessageId[] = [];
  for (const { data } of events.filter(isEdit)) {
    const { state } = await loader.load(chatGroupOf(data.groupId));
    if (state.status !== 'none' && state.historyFrom === 'joined') found.push(data.messageId);
  }
  return found;
}

/** Returns an edit without what it says, for those who do not see the message. It keeps its place in the conversation. */
export const withoutText = (envelope: Envelope): Envelope => ({
  ...envelope,
  data: { ...(envelope.data as object), text: null },
});
