import { lookAgain } from '../../src/notifications/deliver/look-again.ts';
import type { Notification, NotificationOutcome } from '../../src/notifications/notification.ts';
import { ada, groupId, otherGroupId, uuid } from '../support/language/example-events.ts';
import { applicationNews, knownFacts, messageNews, notification } from '../support/language/known-facts.ts';

let stage: ReturnType<typeof knownFacts>;
beforeEach(() => {
  stage = knownFacts();
});

const look = (...notifications: Notification[]) => {
  const { channel } = notifications[0]!;
  const batch = { batchId: uuid(1), recipientId: ada.userId, channel, attempts: 0, notifications };
  return lookAgain(batch, stage.facts);
};
const outcomes = async (...notifications: Notification[]) =>
  (await look(...notifications)).skipped.map(({ outcome }) => outcome);
const skipped = (outcome: NotificationOutcome['outcome']) => [outcome];

describe('a message notification is skipped', () => {
  test('once the message is read', async () => {
    stage.known.messages = [messageNews(1, { isRead: true })];
    expect(await outcomes(notification(1))).toEqual(skipped('read'));
  });

  test('once the message is deleted', async () => {
    stage.known.messages = [messageNews(1, { isDeleted: true, text: null })];
    expect(await outcomes(notification(1))).toEqual(skipped('deleted'));
  });

  test('when the message is unknown', async () => {
    stage.known.messages = [];
    expect(await outcomes(notification(1))).toEqual(skipped('deleted'));
  });

  test('when the recipient has left the group', async () => {
    stage.known.groups = [];
    expect(await outcomes(notification(1))).toEqual(skipped('left'));
  });

  test('when the recipient has muted the group', async () => {
    stage.known.preferences = { ...stage.known.preferences!, muted: [groupId] };
    expect(await outcomes(notification(1))).toEqual(skipped('muted'));
    stage.known.preferences.muted = [otherGroupId];
    expect(await outcomes(notification(1))).toEqual([]);
  });

  test.each(['email', 'push'] as const)('on %s once that channel is switched off', async (channel) => {
    const preferences = { ...stage.known.preferences!, email: true, push: true };
    stage.known.preferences = { ...preferences, [channel]: false };
    expect(await outcomes(notification(1, { channel }))).toEqual(skipped('channel-off'));
    const other = channel === 'email' ? 'push' : 'email';
    expect(await outcomes(notification(1, { channel: other }))).toEqual([]);
  });

  test('when the recipient is unknown', async () => {
    stage.known.preferences = undefined;
    expect(await look(notification(1))).toMatchObject({
      skipped: [{ outcome: 'unknown-recipient' }],
      remaining: [],
    });
  });
});

describe.each(['application-submitted', 'application-status'] as const)(
  'a notification of kind %s',
  (kind) => {
    const applied = notification(7, { kind, subjectId: uuid(0x30), seq: 0 });

    test('reaches a recipient who has left or muted the group, as a rejected applicant has', async () => {
      stage.known.applications = [applicationNews(7, { status: 'rejected' })];
      stage.known.groups = [];
      stage.known.preferences = { ...stage.known.preferences!, muted: [groupId] };
      expect(await look(applied)).toMatchObject({ skipped: [], remaining: [applied.eventId] });
    });

    test('is skipped once the application has changed again', async () => {
      stage.known.applications = [applicationNews(7, { isSuperseded: true })];
      expect(await outcomes(applied)).toEqual(skipped('superseded'));
    });
  },
);

describe('a batch', () => {
  const status = notification(8, { kind: 'application-status', subjectId: uuid(0x30) });

  test('takes one query for each kind', async () => {
    stage.known.applications = [applicationNews(8)];
    await look(notification(1), notification(2), notification(3), status);
    expect(stage.questions()).toBe(2);
  });

  test('keeps the order of the remaining notifications, by kind', async () => {
    stage.known.messages = [messageNews(3), messageNews(2, { isRead: true }), messageNews(1)];
    stage.known.applications = [applicationNews(8)];
    const {
      skipped: gone,
      remaining,
      news,
    } = await look(notification(1), notification(2), notification(3), status);
    expect(gone).toEqual([{ eventId: notification(2).eventId, outcome: 'read' }]);
    expect(remaining).toEqual([notification(1), notification(3), status].map(({ eventId }) => eventId));
    expect(news.message.map(({ text }) => text)).toEqual(['message 1', 'message 3']);
    expect(news['application-status']).toHaveLength(1);
    expect(news['application-submitted']).toEqual([]);
  });
});
