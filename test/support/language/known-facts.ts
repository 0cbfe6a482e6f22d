import { standardPreferences } from '../../../src/commands/account/account.ts';
import type { NotificationPreferences } from '../../../src/events/account.ts';
import type {
  ApplicationNews,
  MessageNews,
  NotificationFacts,
} from '../../../src/notifications/deliver/notification-facts.ts';
import type { Notification } from '../../../src/notifications/notification.ts';
import { ada, groupId, uuid } from './example-events.ts';

export const messageNews = (n: number, facts: Partial<MessageNews> = {}): MessageNews => ({
  messageId: uuid(0x4000 + n),
  groupId,
  groupName: 'Engineer',
  senderName: 'Acme',
  text: `message ${n}`,
  fileNames: [],
  isDeleted: false,
  isRead: false,
  ...facts,
});

export const applicationNews = (n: number, facts: Partial<ApplicationNews> = {}): ApplicationNews => ({
  eventId: uuid(0xe000 + n),
  groupId,
  jobTitle: 'Engineer',
  companyName: 'Acme',
  applicantName: 'Ada',
  status: 'interview',
  reason: null,
  isSuperseded: false,
  ...facts,
});

/**
 * A notification to Ada of the n-th message or, with another kind, of the application as of the n-th event.
 */
export const notification = (n: number, facts: Partial<Notification> = {}): Notification => ({
  eventId: uuid(0xe000 + n),
  recipientId: ada.userId,
  channel: 'email',
  kind: 'message',
  groupId,
  subjectId: uuid(0x4000 + n),
  seq: n,
  position: n,
  ...facts,
});

/** Facts set by a test. By default, Ada is in the group and has not read the first three messages. */
export function knownFacts() {
  const known = {
    preferences: { ...standardPreferences } as NotificationPreferences | undefined,
    address: 'ada@example.org' as string | undefined,
    groups: [groupId as string],
    messages: [1, 2, 3].map((n) => messageNews(n)),
    applications: [] as ApplicationNews[],
  };
  let questions = 0;
  const facts: NotificationFacts = {
    recipient: async () =>
      known.preferences && { displayName: 'Ada Lovelace', preferences: known.preferences },
    emailAddress: async () => known.address,
    groupsOf: async (_userId, groupIds) => new Set(groupIds.filter((id) => known.groups.includes(id))),
    async messages(_recipientId, ids) {
      questions += 1;
      return new Map(known.messages.filter((m) => ids.includes(m.messageId)).map((m) => [m.messageId, m]));
    },
    async applications(_recipientId, events) {
      questions += 1;
      const ids = events.map(({ eventId }) => eventId);
      return new Map(known.applications.filter((a) => ids.includes(a.eventId)).map((a) => [a.eventId, a]));
    },
  };
  return { known, facts, questions: () => questions };
}
