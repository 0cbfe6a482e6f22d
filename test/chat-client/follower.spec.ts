import fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import type { ServerEvents } from '../../packages/chat-client/src/connection.ts';
import { ChatProblem } from '../../packages/chat-client/src/problem.ts';
import { type ConversationEvent, createFollower } from '../../packages/chat-client/src/follower.ts';
import { until } from '../../tools/until.ts';
import { fakeConnection } from './fake-connection.ts';

const sent = (groupId: string, seq: number) =>
  ({ groupId, seq, type: 'MessageSent', id: `${groupId} ${seq}` }) as ServerEvents['messageSent'];
const joined = (groupId: string, roster: number) =>
  ({ groupId, roster, type: 'MemberJoined', id: `${groupId} r${roster}` }) as ServerEvents['memberJoined'];

interface Asked {
  epoch?: string;
  groups: { groupId: string; afterSeq: number; afterRoster?: number }[];
}

/** A server with conversations of so many events, each of a page of five. */
function server(heads: Record<string, number>, { rosters = {} as Record<string, number>, page = 5 } = {}) {
  let epoch = 'one';
  const answer = async (_name: string, { groups, epoch: known = epoch }: Asked) => {
    const inside = groups.filter(({ groupId }) => groupId in heads);
    if (inside.length === 0) throw new ChatProblem({ code: 'GROUP_NOT_FOUND', status: 404 });
    return {
      epoch,
      denied: groups.filter(({ groupId }) => !(groupId in heads)).map(({ groupId }) => groupId),
      groups: inside.map(({ groupId, afterSeq, afterRoster }) => {
        const headSeq = heads[groupId]!;
        if (known !== epoch || afterSeq > headSeq) return { groupId, epoch, reset: true, headSeq };
        const end = Math.min(headSeq, afterSeq + page);
        const events = Array.from({ length: end - afterSeq }, (_, index) =>
          sent(groupId, afterSeq + index + 1),
        );
        const rosterHead = rosters[groupId] ?? 0;
        const missed = rosterHead - (afterRoster ?? rosterHead);
        const roster = Array.from({ length: missed }, (_, index) =>
          joined(groupId, afterRoster! + index + 1),
        );
        const about = afterRoster === undefined ? {} : { roster, rosterHead };
        return { groupId, events, headSeq, ...about, complete: end === headSeq };
      }),
    };
  };
  const fake = fakeConnection(answer as never);
  const follower = createFollower(fake.connection);
  const told: string[] = [];
  const follow = (groupId: string, from: { seq?: number; roster?: number }) => {
    let cursor = from.seq ?? 0;
    const take = (event: ConversationEvent) => {
      if (event.seq <= cursor) return;
      cursor = event.seq;
      told.push(event.id);
    };
    return follower.follow(
      groupId,
      { seq: from.seq, roster: from.roster },
      {
        take,
        takeRoster: ({ id }) => told.push(id),
        reset() {
          cursor = 0;
          told.push(`${groupId} reset`);
        },
        gone: () => told.push(`${groupId} gone`),
      },
    );
  };
  return {
    ...fake,
    follower,
    told,
    follow,
    heads,
    open: () => fake.state.set({ status: 'open' }),
    restore: (to: string) => (epoch = to),
    /** Resolves once `count` events have been told, and nothing else comes. */
    async tells(...expected: string[]) {
      await until(() => told.length >= expected.length, expected.join(', '));
      for (let turns = 0; turns < 10; turns += 1) await turn();
      expect(told).toEqual(expected);
    },
    synced: () => fake.asked.map(({ payload }) => (payload as Asked).groups.length),
  };
}

describe('the follower', () => {
  test('catches up when the connection opens, page by page', async () => {
    const { follow, open, tells } = server({ a: 7 });
    follow('a', { seq: 0 });
    open();
    await tells('a 1', 'a 2', 'a 3', 'a 4', 'a 5', 'a 6', 'a 7');
  });

  test('asks for a hundred groups at once', async () => {
    const groups = Array.from({ length: 250 }, (_, index) => `g${index}`);
    const { follow, open, told, synced } = server(Object.fromEntries(groups.map((each) => [each, 1])));
    for (const group of groups) follow(group, { seq: 0 });
    open();
    await until(() => told.length === 250, 'all groups');
    expect(synced()).toEqual([100, 100, 50]);
  });

  test('tells a pushed event once, and ignores one that it has', async () => {
    const { follow, open, push, heads, tells } = server({ a: 1 });
    follow('a', { seq: 0 });
    open();
    await tells('a 1');
    heads['a'] = 2;
    push('messageSent', sent('a', 2));
    push('messageSent', sent('a', 2));
    push('messageSent', sent('a', 1));
    await tells('a 1', 'a 2');
  });

  test('repairs a gap before it tells what comes after', async () => {
    const { follow, open, push, heads, tells } = server({ a: 1 });
    follow('a', { seq: 1 });
    open();
    heads['a'] = 4;
    push('messageSent', sent('a', 4));
    await tells('a 2', 'a 3', 'a 4');
  });

  test('learns from heads and from joinRoom that something is missing', async () => {
    const { follow, open, push, heads, tells } = server({ a: 0, b: 0 });
    follow('a', { seq: 0 });
    follow('b', { seq: 0 });
    open();
    await turn();
    Object.assign(heads, { a: 1, b: 1 });
    push('heads', { groups: { a: 1 }, epoch: 'one' } as never);
    await tells('a 1');
    push('joinRoom', { groupId: 'b', headSeq: 1, epoch: 'one', kind: 'job' } as never);
    await tells('a 1', 'b 1');
  });

  test('reports each group with its head before the pushed event, even if the group is followed', async () => {
    const { follower, follow, open, push, heads, tells } = server({ a: 2, b: 0 });
    follow('a', { seq: 2 });
    open();
    push('joinRoom', { groupId: 'a', headSeq: 2, epoch: 'one', kind: 'job' } as never);
    expect(follower.known()).toEqual([{ groupId: 'a', headSeq: 2 }]);
    const news: unknown[] = [];
    follower.onNews((each) => news.push(each));
    Object.assign(heads, { a: 4, b: 1 });
    push('messageSent', sent('a', 4));
    push('messageSent', sent('b', 1));
    expect(news).toEqual([
      { groupId: 'a', headSeq: 2 },
      { groupId: 'b', headSeq: 0 },
    ]);
    await tells('a 3', 'a 4');
  });

  test('says that a group is gone when the server denies it, or takes the socket out', async () => {
    const { follow, open, push, tells } = server({ a: 0, b: 0 });
    follow('a', { seq: 0 });
    follow('x', { seq: 0 });
    open();
    await tells('x gone');
    push('leaveRoom', { groupId: 'a', reason: 'removed' });
    await tells('x gone', 'a gone');
    follow('y', { seq: 0 });
    await tells('x gone', 'a gone', 'y gone');
  });

  test('starts all groups anew when the log was restored to an earlier state', async () => {
    const { follow, open, push, heads, restore, tells } = server({ a: 2, b: 1 });
    follow('a', { seq: 0 });
    follow('b', { seq: 0 });
    open();
    await tells('a 1', 'a 2', 'b 1');
    restore('two');
    Object.assign(heads, { a: 1, b: 1 });
    push('joinRoom', { groupId: 'a', headSeq: 9, epoch: 'two', kind: 'job' } as never);
    await tells('a 1', 'a 2', 'b 1', 'a reset', 'b reset', 'a 1', 'b 1');
  });

  test('tells a new follower what came since its page, though others had it', async () => {
    const { follow, open, tells } = server({ a: 3 });
    follow('a', { seq: 0 });
    open();
    await tells('a 1', 'a 2', 'a 3');
    follow('a', { seq: 1 });
    await tells('a 1', 'a 2', 'a 3', 'a 2', 'a 3');
  });

  test('repairs the member list by its own version', async () => {
    const { follow, open, push, tells } = server({ a: 2 }, { rosters: { a: 5 } });
    follow('a', { roster: 3 });
    open();
    await tells('a r4', 'a r5');
    push('memberJoined', joined('a', 5));
    push('memberJoined', joined('a', 6));
    await tells('a r4', 'a r5', 'a r6');
  });

  test('asks those who can load a page to start anew, rather than read thousands of events', async () => {
    const { follower, open, asked } = server({ a: 5_000 });
    const resets = { count: 0 };
    const leave = follower.follow(
      'a',
      { seq: 0 },
      { skips: true, reset: () => (leave(), (resets.count += 1)) },
    );
    open();
    await until(() => resets.count === 1, 'the reset');
    for (let turns = 0; turns < 10; turns += 1) await turn();
    expect(asked).toHaveLength(1);
  });

  test('tells every event once and in order, whatever is lost, repeated or cut', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('say' as const), group: fc.integer({ min: 0, max: 2 }) }),
      fc.record({ do: fc.constant('lose' as const), group: fc.integer({ min: 0, max: 2 }) }),
      fc.record({ do: fc.constant('repeat' as const), group: fc.integer({ min: 0, max: 2 }) }),
      fc.record({ do: fc.constant('cut' as const), group: fc.constant(0) }),
      fc.record({ do: fc.constant('wait' as const), group: fc.constant(0) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { follow, open, push, heads, told, state } = server({ g0: 0, g1: 0, g2: 0 });
        for (const group of Object.keys(heads)) follow(group, { seq: 0 });
        open();
        for (const { do: what, group } of steps) {
          const groupId = `g${group}`;
          if (what === 'say' || what === 'lose') heads[groupId] = heads[groupId]! + 1;
          if (what === 'say' || (what === 'repeat' && heads[groupId]! > 0))
            push('messageSent', sent(groupId, heads[groupId]!));
          if (what === 'cut') {
            state.set({ status: 'connecting' });
            await turn();
            open();
          }
          if (what === 'wait') await turn();
        }
        push('heads', { groups: heads, epoch: 'one' } as never);
        const expected = Object.entries(heads).flatMap(([groupId, head]) =>
          Array.from({ length: head }, (_, index) => `${groupId} ${index + 1}`),
        );
        await until(() => told.length >= expected.length, 'every event');
        for (const groupId of Object.keys(heads))
          expect(told.filter((id) => id.startsWith(groupId))).toEqual(
            expected.filter((id) => id.startsWith(groupId)),
          );
      }),
      { numRuns: 200 },
    );
  });
});
