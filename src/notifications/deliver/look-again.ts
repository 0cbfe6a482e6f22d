import type { UserId } from '../../events/ids.ts';
import type { ApplicationNews, MessageNews, NotificationFacts, Recipient } from './notification-facts.ts';
import type { Batch, Notification, Outcome, Skipped } from '../notification.ts';

/** What is left to tell: what one letter or one push says. In log order. */
export interface News {
  messages: MessageNews[];
  submitted: ApplicationNews[];
  statuses: ApplicationNews[];
}

export interface SecondLook {
  /** Undefined when there is no such account: then nothing is left to tell. */
  recipient: Recipient | undefined;
  skipped: Outcome[];
  /** The events that are left to tell of. */
  remaining: string[];
  news: News;
}

interface Known {
  recipient: Recipient;
  channel: Notification['channel'];
  groups: ReadonlySet<string>;
  messages: ReadonlyMap<string, MessageNews>;
  applications: ReadonlyMap<string, ApplicationNews>;
}

/** Why a notification is not to be sent any more; undefined when it is. */
export function reasonToSkip(notification: Notification, known: Known): Skipped | undefined {
  const { preferences } = known.recipient;
  if (!preferences[known.channel]) return 'channel-off';
  return notification.kind === 'message'
    ? reasonToSkipMessage(notification, known)
    : reasonToSkipApplication(notification, known);
}

function reasonToSkipMessage(
  { groupId, subjectId }: Notification,
  { recipient, groups, messages }: Known,
): Skipped | undefined {
  if (!groups.has(groupId)) return 'left';
  if (recipient.preferences.muted.some((muted) => muted === groupId)) return 'muted';
  const message = messages.get(subjectId);
  if (!message || message.isDeleted) return 'deleted';
  return message.isRead ? 'read' : undefined;
}

/** Whoever was rejected is out of the group, and is told all the same; muting a group silences its messages only. */
function reasonToSkipApplication({ eventId }: Notification, { applications }: Known): Skipped | undefined {
  const application = applications.get(eventId);
  return !application || application.isSuperseded ? 'superseded' : undefined;
}

const NOTHING: News = { messages: [], submitted: [], statuses: [] };

/** Asks how everything in a batch stands now, one question for each kind, and sorts out what need not be sent. */
export async function lookAgain(
  { recipientId, channel, notifications }: Batch,
  facts: NotificationFacts,
): Promise<SecondLook> {
  const recipient = await facts.recipient(recipientId);
  if (!recipient) {
    const skipped = notifications.map(({ eventId }): Outcome => ({ eventId, outcome: 'unknown-recipient' }));
    return { recipient, skipped, remaining: [], news: NOTHING };
  }
  const known: Known = { recipient, channel, ...(await present(recipientId, notifications, facts)) };
  const skipped: Outcome[] = [];
  const left: Notification[] = [];
  for (const notification of notifications) {
    const reason = reasonToSkip(notification, known);
    if (reason) skipped.push({ eventId: notification.eventId, outcome: reason });
    else left.push(notification);
  }
  return { recipient, skipped, remaining: left.map(({ eventId }) => eventId), news: newsOf(left, known) };
}

async function present(
  recipientId: UserId,
  notifications: readonly Notification[],
  facts: NotificationFacts,
): Promise<Pick<Known, 'groups' | 'messages' | 'applications'>> {
  const ofMessages = notifications.filter(({ kind }) => kind === 'message');
  const ofApplications = notifications.filter(({ kind }) => kind !== 'message');
  const groupIds = [...new Set(ofMessages.map(({ groupId }) => groupId))];
  const messageIds = ofMessages.map(({ subjectId }) => subjectId);
  const events = ofApplications.map(({ eventId, subjectId }) => ({ eventId, applicationId: subjectId }));
  const [groups, messages, applications] = await Promise.all([
    facts.groupsOf(recipientId, groupIds),
    messageIds.length > 0 ? facts.messages(recipientId, messageIds) : new Map<string, MessageNews>(),
    events.length > 0 ? facts.applications(events) : new Map<string, ApplicationNews>(),
  ]);
  return { groups, messages, applications };
}

function newsOf(left: readonly Notification[], { messages, applications }: Known): News {
  const about = (kind: Notification['kind']) =>
    left.filter((n) => n.kind === kind).flatMap(({ eventId }) => applications.get(eventId) ?? []);
  return {
    messages: left
      .filter(({ kind }) => kind === 'message')
      .flatMap(({ subjectId }) => messages.get(subjectId) ?? []),
    submitted: about('application-submitted'),
    statuses: about('application-status'),
  };
}
