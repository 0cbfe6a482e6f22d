import { setImmediate as turn } from 'node:timers/promises';
import { createFollower } from '../../packages/chat-client/src/follower.ts';
import { type Group, createInbox } from '../../packages/chat-client/src/inbox.ts';
import { createMembers } from '../../packages/chat-client/src/members.ts';
import { createStore } from '../../packages/chat-client/src/store.ts';
import { until } from '../../tools/until.ts';
import { fakeConnection } from './fake-connection.ts';

const GROUP = 'a';
const member = (userId: string) => ({
  ...{ userId, displayName: userId, role: 'member' as const },
  ...{ online: false, readSeq: 0, joinedAt: '' },
});
const removed = (userId: string, roster: number) =>
  ({
    ...{ id: `r${roster}`, type: 'MemberRemoved', v: 1, groupId: GROUP, roster, occurredAt: '', actorId: '' },
    data: { groupId: GROUP, userId },
  }) as never;
const nothing = () => () => {};

describe('a list of members', () => {
  test('does not bring back who left while another page was on its way', async () => {
    const second = Promise.withResolvers<void>();
    const fake = fakeConnection(async () => ({ epoch: 'one', denied: [], groups: [] }));
    const members = createMembers({
      ...{ groupId: GROUP, follower: createFollower(fake.connection), nameOf: (id) => id },
      ...{ names: createStore(0), on: fake.connection.on, onOpen: nothing },
      async load(cursor) {
        if (cursor === undefined)
          return { data: [member('ada'), member('bob')], nextCursor: 'two', rosterHead: 3 };
        await second.promise;
        return { data: [member('cid')], nextCursor: null, rosterHead: 3 };
      },
    });
    members.subscribe(() => {});
    await until(() => members.getSnapshot().status === 'ready');
    const more = members.loadMore();
    fake.push('memberRemoved', removed('bob', 4));
    second.resolve();
    await more;
    expect(members.getSnapshot().items.map(({ userId }) => userId)).toEqual(['ada', 'cid']);
  });
});

describe('a list of groups', () => {
  const group = (groupId: string, headSeq: number) =>
    ({ groupId, headSeq, readSeq: 0, unreadCount: 0, lastMessage: null }) as unknown as Group;

  /** A server with pages of two groups, the latest activity first, each of which begins after the one before. */
  function stage() {
    const fake = fakeConnection(async () => undefined);
    const follower = createFollower(fake.connection);
    let opened = () => {};
    const server = {
      groups: [group('a', 13), group('b', 12), group('c', 11)],
      asked: [] as (string | undefined)[],
    };
    const inbox = createInbox<Group>({
      follower,
      ...{ known: { nameOf: String, file: () => undefined as never, changes: [] }, ownId: () => 'ada' },
      onUnread: nothing,
      onOpen(listener) {
        opened = listener;
        return () => {};
      },
      async load(cursor) {
        server.asked.push(cursor);
        await turn();
        const below = server.groups
          .filter(({ headSeq }) => headSeq < Number(cursor ?? Infinity))
          .toSorted((one, other) => other.headSeq - one.headSeq);
        const data = below.slice(0, 2);
        return { data, nextCursor: below.length > 2 ? String(data.at(-1)!.headSeq) : null };
      },
    });
    inbox.subscribe(() => {});
    const ids = () => inbox.getSnapshot().items.map(({ groupId }) => groupId);
    return { server, inbox, ids, opened: () => opened(), follower, push: fake.push };
  }

  test('ends where it ends, however often more is asked for', async () => {
    const { server, inbox, ids } = stage();
    await until(() => inbox.getSnapshot().status === 'ready');
    await Promise.all([inbox.loadMore(), inbox.loadMore()]);
    await inbox.loadMore();
    expect(ids()).toEqual(['a', 'b', 'c']);
    expect(inbox.getSnapshot().hasMore).toBe(false);
    expect(server.asked).toEqual([undefined, '12']);
  });

  test('shows a group from an unloaded page at the top when it moves, even if its conversation is open', async () => {
    const { server, inbox, ids, follower, push } = stage();
    await until(() => inbox.getSnapshot().status === 'ready');
    follower.follow('c', { seq: 11 }, {});
    server.groups = [group('a', 13), group('b', 12), group('c', 14)];
    push('messageSent', { groupId: 'c', seq: 14, type: 'MessageSent' } as never);
    await until(() => ids().includes('c'), 'the group');
    expect(ids()).toEqual(['c', 'a', 'b']);
  });

  test('takes the order of the server when it comes back', async () => {
    const { server, inbox, ids, opened } = stage();
    await until(() => inbox.getSnapshot().status === 'ready');
    await inbox.loadMore();
    server.groups = [group('d', 15), group('b', 14), group('a', 13), group('c', 11)];
    opened();
    await until(() => ids().includes('d'), 'the new group');
    expect(ids()).toEqual(['d', 'b', 'a', 'c']);
  });

  test('leaves out none of those that moved while it was away, however many they are', async () => {
    const { server, inbox, ids, opened } = stage();
    await until(() => inbox.getSnapshot().status === 'ready');
    server.groups = ['c', 'd', 'e', 'f', 'g'].map((id, index) => group(id, 20 + index));
    server.groups.push(group('a', 13), group('b', 12));
    opened();
    await until(() => ids().includes('g'), 'the first of them');
    while (inbox.getSnapshot().hasMore) await inbox.loadMore();
    expect(ids()).toEqual(['g', 'f', 'e', 'd', 'c', 'a', 'b']);
  });
});
