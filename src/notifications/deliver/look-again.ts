import type { UserId } from '../../events/ids.ts';
import { type News, kindNames, kinds } from '../kinds/kinds.ts';
import type { NotificationFacts, Recipient } from './notification-facts.ts';
import type { Batch, Notification, NotificationKind, NotificationOutcome, Skipped } from '../notification.ts';

export interface SecondLook {
  /** Undefined when there is no such account. Then all notifications are skipped. */
  recipient: Recipient | undefined;
  skipped: NotificationOutcome[];
  /** Ids of the events to notify of. */
  remaining: string[];
  news: News;
}

/** The news of each kind, by event id. */
type Known = { [K in NotificationKind]: ReadonlyMap<string, News[K][number]> };

/**
 * Reads the current state of everything in a batch, with one question for each kind, and sorts out what need
 * not be sent.
 */
export async function lookAgain(
  { recipientId, channel, notifications }: Batch,
  facts: NotificationFacts,
): Promise<SecondLook> {
  const recipient = await facts.recipient(recipientId);
  if (!recipient) {
    const skipped = notifications.map(({ eventId }): NotificationOutcome => ({
      eventId,
      outcome: 'unknown-recipient',
    }));
    return { recipient, skipped, remaining: [], news: collect(() => []) };
  }
  const { preferences } = recipient;
  const forMembers = notifications.filter(({ kind }) => kinds[kind].isForMembers);
  const groupIds = [...new Set(forMembers.map(({ groupId }) => groupId))];
  const [groups, known] = await Promise.all([
    facts.groupsOf(recipientId, groupIds),
    ask(recipientId, notifications, facts),
  ]);

  /** Returns the reason to skip a notification; undefined when it is to be sent. */
  function reasonToSkip({ kind, eventId, groupId }: Notification): Skipped | undefined {
    if (!preferences[channel]) return 'channel-off';
    if (kinds[kind].isForMembers) {
      if (!groups.has(groupId)) return 'left';
      if (preferences.muted.includes(groupId)) return 'muted';
    }
    return reasonOfKind(kind, known, eventId);
  }

  const skipped: NotificationOutcome[] = [];
  const left: Notification[] = [];
  for (const notification of notifications) {
    const reason = reasonToSkip(notification);
    if (reason) skipped.push({ eventId: notification.eventId, outcome: reason });
    else left.push(notification);
  }
  const news = collect((kind) =>
    left.filter((n) => n.kind === kind).flatMap(({ eventId }) => known[kind].get(eventId) ?? []),
  );
  return { recipient, skipped, remaining: left.map(({ eventId }) => eventId), news };
}

const reasonOfKind = <K extends NotificationKind>(kind: K, known: Known, eventId: string) =>
  kinds[kind].reasonToSkip(known[kind].get(eventId));

async function ask(
  recipientId: UserId,
  notifications: readonly Notification[],
  facts: NotificationFacts,
): Promise<Known> {
  const asked = kindNames.map(async (kind) => {
    const ofKind = notifications.filter((n) => n.kind === kind);
    return [kind, ofKind.length > 0 ? await kinds[kind].news(facts, recipientId, ofKind) : new Map()];
  });
  return Object.fromEntries(await Promise.all(asked)) as Known;
}

const collect = (newsOf: (kind: NotificationKind) => unknown[]): News =>
  Object.fromEntries(kindNames.map((kind) => [kind, newsOf(kind)])) as News;
