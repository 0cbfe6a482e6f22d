import { MOST_SUMMED } from '../../src/queries/unread.ts';
import { deleted, messageNumber, said } from '../support/language/conversation.ts';
import {
  acme,
  ada,
  bob,
  event,
  eve,
  group,
  groupId,
  otherGroupId,
  registered,
} from '../support/language/example-events.ts';
import { type ReadSide, openReadSide } from '../support/stages/read-side.ts';

describe('what is unread', () => {
  let side: ReadSide;
  beforeAll(async () => {
    side = await openReadSide();
    await side.happened(
      registered(acme, 'Acme'),
      registered(ada, 'Ada'),
      registered(bob, 'Bob'),
      ...group,
      event('ChatGroupCreated', { groupId: otherGroupId, jobId: null, name: 'Other', adminId: ada.userId }),
      event('MemberJoined', { groupId: otherGroupId, userId: bob.userId, role: 'member' }),
      said(1, ada),
      said(2, bob),
      said(3, ada),
      said(4, bob),
      said(5, bob, 'elsewhere', otherGroupId),
      deleted(2),
    );
    await side.readMarkers.move(groupId, bob, 1);
  });
  afterAll(() => side.close());

  const groupIds = [groupId, otherGroupId];

  test('of some groups is counted as in the list of groups', async () => {
    for (const { userId } of [acme, ada, bob]) {
      const found = await side.queries.unreadOf({ userId, groupIds });
      const { data } = await side.queries.listGroups({ userId, limit: 10 });
      const shown = data.map((each) => ({
        groupId: each.groupId,
        headSeq: each.headSeq,
        readSeq: each.readSeq,
        unreadCount: each.unreadCount,
      }));
      expect(new Set(found)).toEqual(new Set(shown));
      expect(await side.queries.unreadTotal(userId)).toBe(
        shown.reduce((sum, { unreadCount }) => sum + unreadCount, 0),
      );
    }
  });

  test('of groups of others is nothing', async () => {
    expect(await side.queries.unreadOf({ userId: eve.userId, groupIds })).toEqual([]);
    expect(await side.queries.unreadTotal(eve.userId)).toBe(0);
  });

  test('without a deleted message is told for those who had not read it', async () => {
    const userIds = [acme, ada, bob, eve].map(({ userId }) => userId);
    const messageIds = [messageNumber(2), messageNumber(4)];
    const found = await side.queries.unreadWithout({ userIds, messageIds });
    expect(
      found.map(({ userId, unreadCount, readSeq, headSeq }) => [userId, unreadCount, readSeq, headSeq]),
    ).toEqual(
      expect.arrayContaining([
        [acme.userId, 3, 0, 5],
        [ada.userId, 1, 0, 5],
      ]),
    );
    expect(found).toHaveLength(2);
    await side.readMarkers.move(groupId, ada, 2);
    const later = await side.queries.unreadWithout({ userIds, messageIds });
    expect(later.map(({ userId }) => userId)).toEqual([acme.userId]);
  });

  test('of very many groups is not summed', async () => {
    const many = Array.from({ length: MOST_SUMMED + 1 }, (_, n) =>
      event('ChatGroupCreated', {
        groupId: `0199f5a0-3b1c-7c2e-9d4f-${n.toString(16).padStart(12, '0')}` as never,
        jobId: null,
        name: 'One of many',
        adminId: eve.userId,
      }),
    );
    await side.happened(...many.slice(1));
    expect(await side.queries.unreadTotal(eve.userId)).toBe(0);
    await side.happened(many[0]!);
    expect(await side.queries.unreadTotal(eve.userId)).toBeUndefined();
  });
});
