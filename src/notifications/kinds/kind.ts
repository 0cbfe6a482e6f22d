import type { Folded } from '../../commands/aggregate-cache.ts';
import type { ChatGroup } from '../../commands/chat-group/chat-group.ts';
import type { Job } from '../../commands/job/job.ts';
import type { EventOf, EventType } from '../../events/domain-event.ts';
import type { Recorded } from '../../events/event-store.ts';
import type { JobId, UserId } from '../../events/ids.ts';
import type { MessageAudience } from '../decide/audience.ts';
import type { NotificationFacts } from '../deliver/notification-facts.ts';
import type { PushPayload } from '../deliver/pusher.ts';
import type { Candidate, Notification, Skipped } from '../notification.ts';
import type { Topic } from '../outbox.ts';
import type { Section } from '../templates/section.ts';

/** What the notifier knows when it decides whom an event tells. */
export interface Deciding {
  /** Resolves with the group at least as new as the message. */
  groupOf(event: Recorded<EventOf<'MessageSent'>>): Promise<Folded<ChatGroup>>;
  jobOf(jobId: JobId): Promise<Job>;
}

/** Everything about one kind of notification. It tells of events of type `T`, with news of type `N`. */
export interface Kind<T extends EventType, N extends { groupId: string }> {
  topic: Topic;
  /** Whether it is only for members of its group who have not muted it. Others are told wherever they are. */
  isForMembers: boolean;
  /** Resolves with those whom an event tells: an audience, of which only those who are away are told, or people told in any case. */
  toldOf(event: Recorded<EventOf<T>>, deciding: Deciding): Promise<MessageAudience | Candidate[]>;
  /** Asks one question for all the notifications. Resolves with what each tells, as it stands now, by event id. */
  news(
    facts: NotificationFacts,
    recipientId: UserId,
    notifications: readonly Notification[],
  ): Promise<ReadonlyMap<string, N>>;
  /** Returns why a notification is not to be sent any more, by its news; undefined when it is. */
  reasonToSkip(news: N | undefined): Skipped | undefined;
  /** Writes the section of a letter about all of the news. */
  section(news: readonly N[]): Section;
  /** Writes the text of a push about all of the news; `last` is the last of them. */
  push(news: readonly N[], last: N): Pick<PushPayload, 'title' | 'body'>;
}
