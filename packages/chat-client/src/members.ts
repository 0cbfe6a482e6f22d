import type { Follower, RosterEvent } from './follower.ts';
import { type ChatProblem, asProblem } from './problem.ts';
import type { components } from './protocol.ts';
import { type Owned, type Store, createStore } from './store.ts';
import type { ServerEvents } from './connection.ts';
import { createRetry } from './waiting.ts';

export type Member = components['schemas']['Member'];
type MemberPage = components['schemas']['MemberPage'];

/** The members of a group, without an order. */
export interface MembersState {
  status: 'loading' | 'ready' | 'failed' | 'gone';
  problem?: ChatProblem;
  items: readonly Member[];
  hasMore: boolean;
}

export interface Members extends Store<MembersState> {
  loadMore: () => Promise<void>;
}

export interface MembersDeps {
  groupId: string;
  load: (cursor: string | undefined) => Promise<MemberPage>;
  follower: Pick<Follower, 'follow' | 'onNews'>;
  nameOf: (userId: string) => string;
  names: Pick<Store<unknown>, 'subscribe'>;
  on: <N extends 'presence' | 'messagesRead'>(
    name: N,
    listener: (payload: ServerEvents[N]) => void,
  ) => () => void;
  onOpen: (listener: () => void) => () => void;
}

const EMPTY: MembersState = { status: 'loading', items: [], hasMore: false };

/** Creates the list of members. It is loaded, and kept up to date, while somebody listens. */
export function createMembers({
  groupId,
  load,
  follower,
  nameOf,
  names,
  on,
  onOpen,
}: MembersDeps): Members & Owned {
  const state = createStore(EMPTY, { onUsed: use, onUnused: rest });
  const retry = createRetry();
  let endings: (() => void)[] = [];
  let leave = () => {};
  let cursor: string | undefined;
  let version = 0;

  function use(): void {
    endings = [
      names.subscribe(() => change((member) => named(member))),
      on('presence', ({ userId, online }) =>
        change((member) => (member.userId === userId ? { ...member, online } : member)),
      ),
      on('messagesRead', (read) => {
        if (read.groupId !== groupId) return;
        change((member) =>
          member.userId === read.userId ? { ...member, readSeq: Math.max(member.readSeq, read.seq) } : member,
        );
      }),
      // The caller is a member again.
      follower.onNews((news) => {
        if (news.groupId === groupId && state.getSnapshot().status === 'gone') void reload();
      }),
      // Who is online, and how far they have read, is not logged: after a gap it is read again.
      onOpen(() => void reload()),
    ];
    void reload();
  }

  function rest(): void {
    version += 1;
    retry.reset();
    leave();
    for (const end of endings) end();
    endings = [];
    state.set(EMPTY);
  }

  function named(member: Member): Member {
    const displayName = nameOf(member.userId) || member.displayName;
    return displayName === member.displayName ? member : { ...member, displayName };
  }

  function change(next: (member: Member) => Member): void {
    const { items } = state.getSnapshot();
    const now = items.map(next);
    if (now.some((member, index) => member !== items[index]))
      state.set({ ...state.getSnapshot(), items: now });
  }

  const reloadNow = () => void reload();

  function reload(): Promise<void> {
    version += 1;
    cursor = undefined;
    return more();
  }

  async function more(): Promise<void> {
    const mine = version;
    const isFirst = cursor === undefined;
    try {
      const { data, nextCursor, rosterHead } = await load(cursor);
      if (mine !== version) return;
      retry.reset();
      cursor = nextCursor ?? undefined;
      // Members may have come and gone while it was on its way.
      const before = isFirst ? [] : state.getSnapshot().items;
      const known = new Set(before.map(({ userId }) => userId));
      const items = [...before, ...data.filter(({ userId }) => !known.has(userId))];
      state.set({ status: 'ready', items, hasMore: cursor !== undefined });
      // Each page may be older than what was heard since: that is told once more.
      const previous = leave;
      leave = follower.follow(
        groupId,
        { roster: rosterHead },
        { takeRoster, rosterChanged: reloadNow, reset: reloadNow, gone, skips: true },
      );
      previous();
    } catch (error) {
      if (mine !== version) return;
      const problem = asProblem(error);
      if (problem.code === 'GROUP_NOT_FOUND') return gone();
      state.set({ ...state.getSnapshot(), status: 'failed', problem });
      retry.after(problem, reload);
    }
  }

  function gone(): void {
    version += 1;
    retry.reset();
    leave();
    state.set({ ...EMPTY, status: 'gone' });
  }

  function takeRoster(event: RosterEvent): void {
    const { items, ...state_ } = state.getSnapshot();
    if (event.type === 'MemberJoined') {
      const { userId, role } = event.data;
      if (items.some((member) => member.userId === userId)) return;
      const joinedAt = event.occurredAt;
      const member = { userId, displayName: nameOf(userId), role, online: false, readSeq: 0, joinedAt };
      return state.set({ ...state_, items: [...items, member] });
    }
    if (event.type !== 'MemberLeft' && event.type !== 'MemberRemoved') return;
    state.set({ ...state_, items: items.filter(({ userId }) => userId !== event.data.userId) });
  }

  return {
    ...state,
    loadMore: () => (cursor === undefined ? Promise.resolve() : more()),
  };
}
