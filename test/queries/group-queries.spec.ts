import { ClientMsgId, GroupId, MessageId, UserId } from '../../src/events/ids.ts';
import { said, deleted, edited, messageNumber, reacted } from '../support/language/conversation.ts';
import {
  acme,
  ada,
  bob,
  erasureId,
  event,
  eve,
  group,
  groupId,
  joined,
  left,
  otherGroupId,
  registered,
  uuid,
} from '../support/language/example-events.ts';
import { type ReadSide, openReadSide } from '../support/stages/read-side.ts';

let side: ReadSide;
beforeAll(async () => {
  side = await openReadSide();
  await side.happened(
    registered(acme, 'Acme'),
    registered(ada, 'Ada'),
    registered(bob, 'Bob'),
    ...group,
    event('ChatGroupCreated', { groupId: otherGroupId, jobId: null, name: 'Other', adminId: ada.userId }),
    said(1, ada, 'The interview is on Tuesday'),
    said(2, bob, 'Which room?'),
    said(3, ada, 'Room 7'),
    reacted(3, '🎉', bob),
    reacted(3, '👍', bob),
    reacted(3, '👍', acme),
    edited(1, 'The interview is on Wednesday'),
    said(4, bob, 'never mind'),
    deleted(4),
    said(5, ada, 'interview notes of my own', otherGroupId),
  );
});
afterAll(() => side.close());

const clientMsgIdOf = (n: number) => ClientMsgId.parse(uuid(0x50_0000 + n));
const asAda = { userId: ada.userId };
const asBob = { userId: bob.userId };
const here = { groupId, limit: 50 };
const seqs = (page: { data: { seq: number }[] }) => page.data.map(({ seq }) => seq);

describe('the groups of a user', () => {
  test('are listed by latest activity, with the unread count of each', async () => {
    const { data, nextCursor } = await side.queries.listGroups({ ...asAda, limit: 10 });
    expect(nextCursor).toBeNull();
    expect(data).toMatchObject([
      { id: otherGroupId, name: 'Other', myRole: 'admin', memberCount: 1, headSeq: 1, unreadCount: 0 },
      { id: groupId, name: 'Engineer', myRole: 'member', memberCount: 3, headSeq: 9, unreadCount: 1 },
    ]);
    expect(data[1]!.lastMessage).toEqual({
      ...{
        id: messageNumber(4),
        groupId,
        seq: 8,
        senderId: bob.userId,
        text: null,
        files: [],
        reactions: {},
      },
      ...{ sender: { id: bob.userId, displayName: 'Bob' }, replyTo: null, replyToSeq: null },
      ...{ occurredAt: '2026-01-02T03:04:05.678Z', deletedAt: '2026-01-02T03:04:05.678Z' },
      ...{ editedAt: null, erasedAt: null },
    });
  });

  test('are paged', async () => {
    const first = await side.queries.listGroups({ ...asAda, limit: 1 });
    const second = await side.queries.listGroups({ ...asAda, limit: 1, cursor: first.nextCursor! });
    expect([first, second].map(({ data }) => data[0]!.id)).toEqual([otherGroupId, groupId]);
    expect(second.nextCursor).toBeNull();
  });

  test('are refused for an invalid cursor', async () => {
    for (const cursor of ['', 'x', 'e30', Buffer.from('{"position":-1}').toString('base64url')])
      await expect(side.queries.listGroups({ ...asAda, limit: 1, cursor })).rejects.toThrow('cursor');
  });

  test('are not visible to a stranger', async () => {
    await expect(side.queries.getGroup({ userId: eve.userId, groupId })).rejects.toThrow('GROUP_NOT_FOUND');
    expect(await side.queries.listGroups({ userId: eve.userId, limit: 10 })).toEqual({
      data: [],
      nextCursor: null,
    });
  });

  test("are all found for the rooms of their members' sockets", async () =>
    expect(new Set((await side.queries.roomsOfUser(ada.userId)).rooms)).toEqual(
      new Set([groupId, otherGroupId].map((id) => ({ groupId: id, kind: 'job' }))),
    ));
});

describe('the members of a group', () => {
  test('have names, roles and read markers', async () => {
    const { data } = await side.queries.listMembers({ ...asAda, ...here });
    expect(data).toMatchObject([
      { userId: acme.userId, displayName: 'Acme', role: 'admin', readSeq: 0 },
      { userId: ada.userId, displayName: 'Ada', role: 'member', readSeq: 0 },
      { userId: bob.userId, displayName: 'Bob', role: 'member', readSeq: 0 },
    ]);
    expect(await side.queries.memberIds(groupId)).toHaveLength(3);
  });

  test('come with the version of the roster that each page is at least as new as', async () => {
    const [first, other] = [
      await side.queries.listMembers({ ...asAda, groupId, limit: 2 }),
      await side.queries.listMembers({ ...asAda, groupId: otherGroupId, limit: 50 }),
    ];
    expect([first.rosterHead, other.rosterHead]).toEqual([3, 1]);
  });

  test('are paged', async () => {
    const first = await side.queries.listMembers({ ...asAda, groupId, limit: 2 });
    const second = await side.queries.listMembers({ ...asAda, groupId, limit: 2, cursor: first.nextCursor! });
    expect([...first.data, ...second.data].map(({ displayName }) => displayName)).toEqual([
      'Acme',
      'Ada',
      'Bob',
    ]);
    expect(second.nextCursor).toBeNull();
  });

  test('are not visible to a stranger', () =>
    expect(side.queries.listMembers({ userId: eve.userId, ...here })).rejects.toThrow('GROUP_NOT_FOUND'));
});

describe('the history of a conversation', () => {
  test('shows the current state of messages, in ascending order', async () => {
    const page = await side.queries.messageHistory({ ...asBob, ...here });
    expect(page).toMatchObject({ hasMore: false, headSeq: 9 });
    expect(page.data[2]).toEqual({
      id: messageNumber(3),
      groupId,
      seq: 3,
      senderId: ada.userId,
      sender: { id: ada.userId, displayName: 'Ada' },
      text: 'Room 7',
      files: [],
      replyTo: null,
      replyToSeq: null,
      reactions: { '🎉': [bob.userId], '👍': [bob.userId, acme.userId] },
      occurredAt: '2026-01-02T03:04:05.678Z',
      erasedAt: null,
      editedAt: null,
      deletedAt: null,
    });
    expect(page.data[0]).toMatchObject({
      text: 'The interview is on Wednesday',
      editedAt: expect.any(String),
    });
    expect(page.data[3]).toMatchObject({
      seq: 8,
      text: null,
      deletedAt: '2026-01-02T03:04:05.678Z',
      reactions: {},
    });
  });

  test('is paged back from the newest, forward from a seq, and around one', async () => {
    const page = (asked: object) => side.queries.messageHistory({ ...asBob, groupId, limit: 2, ...asked });
    const newest = await page({});
    expect([seqs(newest), newest.hasMore]).toEqual([[3, 8], true]);
    const before = await page({ beforeSeq: 3 });
    expect([seqs(before), before.hasMore]).toEqual([[1, 2], false]);
    const after = await page({ afterSeq: 1 });
    expect([seqs(after), after.hasMore]).toEqual([[2, 3], true]);
    const around = await page({ aroundSeq: 3 });
    expect([seqs(around), around.hasMore]).toEqual([[2, 3], true]);
    const end = await page({ aroundSeq: 9, limit: 3 });
    expect([seqs(end), end.hasMore]).toEqual([[2, 3, 8], true]);
  });

  test('shows one message, as the page does', async () => {
    const { data } = await side.queries.messageHistory({ ...asBob, ...here });
    for (const each of data)
      expect(
        await side.queries.getMessage({ ...asBob, groupId, messageId: MessageId.parse(each.id) }),
      ).toEqual(each);
    const elsewhere = { ...asBob, groupId, messageId: messageNumber(5) };
    await expect(side.queries.getMessage(elsewhere)).rejects.toThrow('MESSAGE_NOT_FOUND');
    const asEve = { userId: eve.userId, groupId, messageId: messageNumber(1) };
    await expect(side.queries.getMessage(asEve)).rejects.toThrow('MESSAGE_NOT_FOUND');
  });

  test('shows the id that the client chose to the sender alone', async () => {
    const idsFor = async (userId: UserId) =>
      (await side.queries.messageHistory({ userId, ...here })).data.map(({ clientMsgId }) => clientMsgId);
    expect(await idsFor(ada.userId)).toEqual([clientMsgIdOf(1), undefined, clientMsgIdOf(3), undefined]);
    expect(await idsFor(acme.userId)).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('is closed to strangers and former members', async () => {
    const carol = { ...eve, userId: UserId.parse(uuid(0xc4)) };
    await side.happened(joined(carol));
    expect((await side.queries.messageHistory({ userId: carol.userId, ...here })).data).toHaveLength(4);
    await side.happened(left(carol));
    for (const { userId } of [carol, eve]) {
      await expect(side.queries.messageHistory({ userId, ...here })).rejects.toThrow('GROUP_NOT_FOUND');
      await expect(side.queries.getGroup({ userId, groupId })).rejects.toThrow('GROUP_NOT_FOUND');
      expect((await side.queries.searchMessages({ userId, q: 'interview', limit: 10 })).data).toEqual([]);
    }
  });
});

describe('message search', () => {
  const found = async (userId: UserId, q: string, more = {}) =>
    (await side.queries.searchMessages({ userId, q, limit: 10, ...more })).data.map(({ id }) => id);

  test('covers only the groups of the searcher, newest first', async () => {
    expect(await found(ada.userId, 'interview')).toEqual([messageNumber(5), messageNumber(1)]);
    expect(await found(bob.userId, 'interview')).toEqual([messageNumber(1)]);
    expect(await found(ada.userId, 'interview', { groupId })).toEqual([messageNumber(1)]);
    await expect(found(bob.userId, 'interview', { groupId: otherGroupId })).rejects.toThrow(
      'GROUP_NOT_FOUND',
    );
  });

  test('finds edited texts by their new words, and deleted ones not at all', async () => {
    expect(await found(bob.userId, 'wednesday')).toEqual([messageNumber(1)]);
    expect(await found(bob.userId, 'tuesday')).toEqual([]);
    expect(await found(bob.userId, 'never mind')).toEqual([]);
  });

  test('finds nothing for an empty query or mere punctuation', async () => {
    for (const q of [' ', '"', '!!! & | :*', "'", '-']) expect(await found(ada.userId, q)).toEqual([]);
  });

  test('excludes negated words', async () =>
    expect(await found(bob.userId, '-room')).toEqual([messageNumber(1)]));

  test('is paged', async () => {
    const first = await side.queries.searchMessages({ ...asAda, q: 'interview', limit: 1 });
    const second = await side.queries.searchMessages({
      ...asAda,
      q: 'interview',
      limit: 1,
      cursor: first.nextCursor!,
    });
    expect([first.data[0]!.id, second.data[0]!.id, second.nextCursor]).toEqual([
      messageNumber(5),
      messageNumber(1),
      null,
    ]);
  });
});

describe('groups that move during paging', () => {
  test('are on a later page, at the end', async () => {
    const first = await side.queries.listGroups({ ...asAda, limit: 1 });
    expect(first.data.map(({ id }) => id)).toEqual([otherGroupId]);
    await side.happened(said(90, bob, 'up again'));
    const second = await side.queries.listGroups({ ...asAda, limit: 1, cursor: first.nextCursor! });
    const third = await side.queries.listGroups({ ...asAda, limit: 1, cursor: second.nextCursor! });
    expect([...second.data, ...third.data].map(({ id }) => id)).toEqual([groupId]);
    expect(third.nextCursor).toBeNull();
  });
});

describe('a reply', () => {
  const room = GroupId.parse(uuid(0x2a));
  const carol = { ...eve, userId: UserId.parse(uuid(0xc5)) };
  const answer = messageNumber(72);
  beforeAll(() =>
    side.happened(
      registered(carol, 'Carol'),
      event('ChatGroupCreated', {
        ...{ groupId: room, jobId: null, name: 'Room', adminId: ada.userId, historyFrom: 'joined' },
      }),
      said(71, ada, 'a question about engines', room),
      event('MemberJoined', { groupId: room, userId: carol.userId, role: 'member' }),
      event('MessageSent', {
        ...said(72, ada, 'a reply about engines', room).data,
        replyTo: messageNumber(71),
      }),
      said(73, ada, 'another question', room),
      event('MessageSent', { ...said(74, ada, 'another reply', room).data, replyTo: messageNumber(73) }),
    ),
  );

  /** The seqs that replies name, in each of the reads that show them. */
  const seenBy = async (userId: UserId) => {
    const replies = ({ data }: { data: { id: string; replyToSeq: number | null }[] }) =>
      data.flatMap(({ id, replyToSeq }) => (id === answer ? [replyToSeq] : []));
    return [
      ...replies(await side.queries.messageHistory({ userId, groupId: room, limit: 50 })),
      ...replies(await side.queries.messageHistory({ userId, groupId: room, aroundSeq: 2, limit: 50 })),
      ...replies(await side.queries.searchMessages({ userId, q: 'reply', limit: 50 })),
      (await side.queries.getMessage({ userId, groupId: room, messageId: answer })).replyToSeq,
    ];
  };

  test('names the seq of its message, unless that is hidden', async () => {
    expect(await seenBy(ada.userId)).toEqual([1, 1, 1, 1]);
    expect(await seenBy(carol.userId)).toEqual([null, null, null, null]);
    for (const userId of [ada.userId, carol.userId])
      expect((await side.queries.getGroup({ userId, groupId: room })).lastMessage).toMatchObject({
        ...{ replyTo: messageNumber(73), replyToSeq: 3, sender: { displayName: 'Ada' } },
      });
    const hidden = { userId: carol.userId, groupId: room, messageId: messageNumber(71) };
    await expect(side.queries.getMessage(hidden)).rejects.toThrow('MESSAGE_NOT_FOUND');
  });

  test('keeps its sender’s name, as whoever was erased shows it', async () => {
    await side.happened(event('AccountErased', { userId: ada.userId, erasureId }));
    const { data } = await side.queries.messageHistory({ userId: carol.userId, groupId: room, limit: 50 });
    for (const { sender, text, erasedAt } of data)
      expect({ sender, text, erasedAt }).toEqual({
        ...{ sender: { id: ada.userId, displayName: '[erased]' }, text: null },
        erasedAt: '2026-01-02T03:04:05.678Z',
      });
  });
});
