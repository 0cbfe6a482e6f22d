import type { Folded } from '../../commands/aggregate-cache.ts';
import type { ChatGroup, ExistingGroup, Members } from '../../commands/chat-group/chat-group.ts';
import type { AggregateRef } from '../../commands/command.ts';
import type { EventOf, EventType } from '../../events/domain-event.ts';
import type { Recorded } from '../../events/event-store.ts';
import type { UserId } from '../../events/ids.ts';
import type { MessageAudience } from '../decide/audience.ts';
import type { NotificationFacts } from '../deliver/notification-facts.ts';
import type { PushPayload } from '../deliver/pusher.ts';
import type { Candidate, Notification, Skipped } from '../notification.ts';
import type { Topic } from '../outbox.ts';
import type { Section } from '../templates/section.ts';

/** The state that the notifier gives to a kind to decide who is notified of an event. */
export interface Deciding {
  /** Returns the group in a state at least as new as the message, or resolves with it when it has to be read. */
  groupOf(event: Recorded<EventOf<'MessageSent'>>): Folded<ChatGroup> | Promise<Folded<ChatGroup>>;
  /** Resolves with a state that is at least as new as the event. */
  state<S>(ref: AggregateRef<S>): Promise<S>;
  /**
   * The people who are told of the messages of a company's room, by the state of the room. Replaced by an empty
   * map when an account or a company may have changed.
   */
  told: WeakMap<ExistingGroup, Members>;
}

/** An audience, of which only members who are away are notified, or candidates who are notified in any case. */
export type Recipients = MessageAudience | Candidate[];

/** Everything about one kind of notification: it covers events of type `T`, with news of type `N`. */
export interface Kind<T extends EventType, N extends { groupId: string }> {
  topic: Topic;
  /** True if it is only for members of its group who have not muted it. Other kinds do not depend on membership. */
  isForMembers: boolean;
  /** Returns the recipients of an event, or resolves with them when something has to be read. */
  recipientsOf(event: Recorded<EventOf<T>>, deciding: Deciding): Recipients | Promise<Recipients>;
  /** Asks one question for all the notifications. Resolves with the current news of each, by event id. */
  news(
    facts: NotificationFacts,
    recipientId: UserId,
    notifications: readonly Notification[],
  ): Promise<ReadonlyMap<string, N>>;
  /** Returns the reason to skip a notification, judged by its news; undefined when it is to be sent. */
  reasonToSkip(news: N | undefined): Skipped | undefined;
  /** Writes the section of a letter about all of the news. */
  section(news: readonly N[]): Section;
  /** Writes the text of a push about all of the news; `last` is the last of them. */
  push(news: readonly N[], last: N): Pick<PushPayload, 'title' | 'body'>;
}
