import { NotCaughtUp } from '../../../../src/projections/projection.ts';
import { deleted, edited, messageNumber, reacted, said } from '../../../support/language/conversation.ts';
import {
  ada,
  bob,
  eve,
  group,
  groupId,
  joined,
  left,
  otherGroupId,
} from '../../../support/language/example-events.ts';
import { happened } from '../../../support/language/history.ts';
import { type ReadSide, openReadSide } from '../../../support/stages/read-side.ts';

let side: ReadSide;
beforeEach(async () => {
  side = await openReadSide();
  // seq 1..6: Ada, Bob, an edit, Ada, Bob, Bob
  await side.happened(...group, said(1), said(2, bob), edited(1, 'new'), said(3), said(4, bob), said(5, bob));
});
afterEach(() => side.close());

const unreadOf = async (userId: typeof ada.userId) =>
  (await side.queries.getGroup({ userId, groupId })).unreadCount;
const move = (seq: number, actor = ada) => side.readMarkers.move(groupId, actor, seq);

describe('the read marker of a member', () => {
  test('counts the messages of others since then', async () => {
    expect([await unreadOf(ada.userId), await unreadOf(bob.userId)]).toEqual([3, 2]);
    expect(await move(2)).toEqual({ seq: 2, unreadCount: 2, moved: true });
    expect(await move(4)).toEqual({ seq: 4, unreadCount: 2, moved: true });
    expect(await move(5)).toEqual({ seq: 5, unreadCount: 1, moved: true });
    expect([await unreadOf(ada.userId), await unreadOf(bob.userId)]).toEqual([1, 2]);
  });

  test('counts the same regardless of the steps it moved by', async () => {
    for (const seq of [1, 3, 4]) await move(seq, bob);
    expect(await move(5, bob)).toMatchObject({ unreadCount: 0 });
    await side.happened(said(6), said(7, bob), said(8));
    expect(await move(7, bob)).toEqual({ seq: 7, unreadCount: 1, moved: true });
    expect(await move(8, bob)).toEqual({ seq: 8, unreadCount: 1, moved: true });
    expect(await unreadOf(bob.userId)).toBe(1);
  });

  test('does not count deleted messages, for any member', async () => {
    await side.happened(deleted(4));
    expect([await unreadOf(ada.userId), await unreadOf(bob.userId)]).toEqual([2, 2]);
    await side.happened(deleted(3));
    expect([await unreadOf(ada.userId), await unreadOf(bob.userId)]).toEqual([2, 1]);
    expect(await move(6)).toMatchObject({ unreadCount: 0 });
    await side.happened(said(6, bob), said(7, bob), deleted(6));
    expect(await unreadOf(ada.userId)).toBe(1);
    expect(await move(1, bob)).toMatchObject({ unreadCount: 0 });
  });

  test('starts at the head for new and returning members', async () => {
    await side.happened(joined(eve), said(6, bob));
    expect(await side.queries.getGroup({ userId: eve.userId, groupId })).toMatchObject({
      readSeq: 6,
      unreadCount: 1,
    });
    expect(await move(3, eve)).toEqual({ seq: 6, unreadCount: 1, moved: false });
    await side.happened(said(7, eve), left(eve), said(8, bob), joined(eve), said(9, bob));
    expect(await side.queries.getGroup({ userId: eve.userId, groupId })).toMatchObject({
      readSeq: 9,
      unreadCount: 1,
    });
    expect(await move(99, eve)).toMatchObject({ unreadCount: 0, moved: true });
  });

  test('never moves back and never passes the head', async () => {
    expect(await move(99)).toEqual({ seq: 6, unreadCount: 0, moved: true });
    expect(await move(1)).toEqual({ seq: 6, unreadCount: 0, moved: false });
    await side.happened(said(6, bob));
    expect(await unreadOf(ada.userId)).toBe(1);
  });

  test('keeps the further of two concurrent moves', async () => {
    await Promise.all([move(2), move(6), move(4), move(5)]);
    expect(await move(0)).toEqual({ seq: 6, unreadCount: 0, moved: false });
  });

  test('does not exist for a stranger', () => expect(move(1, eve)).rejects.toThrow('GROUP_NOT_FOUND'));
});

describe('the state of a message for commands', () => {
  test('reflects everything in the log', async () => {
    await side.happened(reacted(1, '🎉'), reacted(1, '👍'), reacted(1, '👍', ada));
    expect(await side.lookups.message(groupId, messageNumber(1), ada)).toEqual({
      groupId,
      senderId: ada.userId,
      changedSeq: 9,
      isDeleted: false,
      hasFiles: false,
      text: 'new',
      reactions: { '🎉': [bob.userId], '👍': [bob.userId, ada.userId] },
    });
    await side.happened(deleted(1));
    expect(await side.lookups.message(groupId, messageNumber(1), ada)).toMatchObject({
      isDeleted: true,
      text: null,
    });
  });

  test('is empty in a group other than its own', async () =>
    expect(await side.lookups.message(otherGroupId, messageNumber(1), ada)).toBeUndefined());
});

describe('read models that lag', () => {
  test('are not used for decisions', async () => {
    await side.projections.stop();
    await happened(side.store, said(6));
    await expect(side.lookups.message(groupId, messageNumber(1), ada)).rejects.toThrow(NotCaughtUp);
    await expect(move(1)).rejects.toThrow(NotCaughtUp);
  });
});
