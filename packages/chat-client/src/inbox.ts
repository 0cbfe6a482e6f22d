import type { ConversationEvent, Follower, RosterEvent } from './follower.ts';
import { type Known, changed, messageFrom } from './message.ts';
import { type ChatProblem, asProblem } from './problem.ts';
import type { components } from './protocol.ts';
import { type Owned, type Store, createStore } from './store.ts';
import type { ServerEvents } from './connection.ts';
import { createRetry } from './waiting.ts';

export type Group = components['schemas']['Group'];
export type Thread = components['schemas']['Thread'];

/** A list of conversations, the latest activity first. */
export interface InboxState<R> {
  status: 'loading' | 'ready' | 'failed';
  problem?: ChatProblem;
  items: readonly R[];
  hasMore: boolean;
}

export interface Inbox<R> extends Store<InboxState<R>> {
  loadMore: () => Promise<void>;
}

/** What groups and threads have in common. */
type Row = Pick<Group, 'groupId' | 'headSeq' | 'readSeq' | 'unreadCount' | 'lastMessage'>;

export interface InboxDeps<R extends Row> {
  /** Resolves with a page. It may be shorter than others, or empty, and still have a `nextCursor`. */
  load: (cursor: string | undefined) => Promise<{ data: R[]; nextCursor: string | null }>;
  /** Returns the row after an event, besides what all rows have in common. */
  retell?: (row: R, event: ConversationEvent | RosterEvent) => R;
  follower: Follower;
  known: Known & { changes: Pick<Store<unknown>, 'subscribe'>[] };
  ownId: () => string | undefined;
  onUnread: (listener: (unread: Unread) => void) => () => void;
  onOpen: (listener: () => void) => () => void;
}

/** How much one has read of a group, by this client or another one of the same user. */
export type Unread = Pick<ServerEvents['unreadChanged'], 'groupId' | 'readSeq' | 'unreadCount' | 'headSeq'>;

const LOOK_AGAIN_MS = 500;
/** The server's count comes within moments, so few messages come between. */
const MOST_COUNTED = 100;
/** Beyond it, a page may be too short for what has moved. */
const MOST_NEWS = 20;
/** Number of empty pages after which a person would rather ask again. */
const MOST_EMPTY = 20;

/** Creates a list. It is loaded, and kept up to date, while somebody listens. */
export function createInbox<R extends Row>(deps: InboxDeps<R>): Inbox<R> & Owned {
  const { load, retell, follower, known, ownId, onUnread, onOpen } = deps;
  const empty: InboxState<R> = { status: 'loading', items: [], hasMore: false };
  const state = createStore(empty, { onUsed: use, onUnused: rest });
  const retry = createRetry();
  const leaves = new Map<string, () => void>();
  /** The seqs of foreign messages that were counted here, since the server said how many are unread. */
  const counted = new Map<string, number[]>();
  let endings: (() => void)[] = [];
  let cursor: string | undefined;
  let version = 0;
  let loading: Promise<void> = Promise.resolve();
  let look: ReturnType<typeof setTimeout> | undefined;
  /** What has moved to the top from beyond what is loaded, and is to be read. */
  const news = new Set<string>();
  /** Any number of groups may have moved, and not all of them are told of. */
  let wasAway = false;

  function use(): void {
    endings = [
      onUnread(takeUnread),
      // It is new, or has moved to the top from beyond what is loaded.
      follower.onNews(({ groupId }) => {
        if (leaves.has(groupId)) return;
        news.add(groupId);
        lookAgain();
      }),
      ...known.changes.map((each) => each.subscribe(refreshNames)),
      onOpen(() => {
        wasAway = true;
        lookAgain();
      }),
    ];
    void next();
  }

  function rest(): void {
    version += 1;
    retry.reset();
    clearTimeout(look);
    look = undefined;
    news.clear();
    wasAway = false;
    for (const end of [...endings, ...leaves.values()]) end();
    leaves.clear();
    counted.clear();
    endings = [];
    cursor = undefined;
    state.set(empty);
  }

  const change = (changes: Partial<InboxState<R>>) => state.set({ ...state.getSnapshot(), ...changes });

  function update(groupId: string, next: (row: R) => R): void {
    const { items } = state.getSnapshot();
    change({ items: items.map((row) => (row.groupId === groupId ? next(row) : row)) });
  }

  /** Waits a moment, because news come together: of all groups, when a connection opens. */
  function lookAgain(): void {
    look ??= setTimeout(() => {
      look = undefined;
      const isMuch = wasAway || news.size > MOST_NEWS;
      wasAway = false;
      news.clear();
      void (isMuch ? again() : first());
    }, LOOK_AGAIN_MS);
  }

  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = version;
    loading = loading.then(async () => {
      if (mine !== version) return;
      try {
        await work();
        retry.reset();
      } catch (error) {
        if (mine !== version) return;
        const problem = asProblem(error);
        change({ status: 'failed', problem });
        retry.after(problem, () => inTurn(work));
      }
    });
    return loading;
  };

  const next = () => inTurn(more);
  const loadMore = () => inTurn(async () => (state.getSnapshot().hasMore ? more() : undefined));

  async function more(): Promise<void> {
    const mine = version;
    for (let pages = 0; pages < MOST_EMPTY; pages += 1) {
      const page = await load(cursor);
      if (mine !== version) return;
      cursor = page.nextCursor ?? undefined;
      add(page.data, 'end');
      if (page.data.length > 0 || cursor === undefined) return;
    }
  }

  /** Reads the beginning again, which has whatever is new to the list. */
  const first = () =>
    inTurn(async () => {
      const mine = version;
      const page = await load(undefined);
      if (mine !== version) return;
      if (state.getSnapshot().items.length === 0) cursor = page.nextCursor ?? undefined;
      add(page.data, 'start');
    });

  /** Reads as much as there is again: between two pages nothing is left out, whatever has moved. */
  const again = () =>
    inTurn(async () => {
      const mine = version;
      const before = new Map(state.getSnapshot().items.map((row) => [row.groupId, row.headSeq]));
      const rows = new Map<string, R>();
      let next: string | undefined;
      do {
        const page = await load(next);
        if (mine !== version) return;
        for (const row of page.data) rows.set(row.groupId, row);
        next = page.nextCursor ?? undefined;
      } while (next !== undefined && rows.size < before.size);
      cursor = next;
      const { items } = state.getSnapshot();
      // What is further down is read when somebody wants to see more. What was heard of meanwhile is at the top.
      for (const { groupId, headSeq } of items)
        if (!rows.has(groupId) && headSeq === before.get(groupId)) remove(groupId);
      add([...rows.values()], 'start');
    });

  function add(rows: readonly R[], place: 'start' | 'end'): void {
    const { items } = state.getSnapshot();
    const known = new Map(items.map((row) => [row.groupId, row]));
    const fresh = rows.filter(({ groupId }) => !known.has(groupId));
    const read = new Map(rows.map((row) => [row.groupId, row]));
    // A page may be older than what was heard since.
    const isHeard = (row: R) => row.headSeq > (read.get(row.groupId)?.headSeq ?? Infinity);
    const latest = (row: R) => (isHeard(row) ? row : (read.get(row.groupId) ?? row));
    const kept = items.map(latest);
    // The page has the order: what was missed came in another one.
    const moved = kept.filter(isHeard);
    const top = [...moved, ...rows.filter((row) => !moved.some(({ groupId }) => groupId === row.groupId))];
    const below = kept.filter(({ groupId }) => !read.has(groupId));
    const { problem: _, ...sound } = state.getSnapshot();
    state.set({
      ...sound,
      status: 'ready',
      items: place === 'start' ? [...top, ...below] : [...kept, ...fresh],
      hasMore: cursor !== undefined,
    });
    for (const { groupId, headSeq } of fresh) followRow(groupId, headSeq);
  }

  function followRow(groupId: string, seq: number): void {
    const take = (event: ConversationEvent) => hear(groupId, event);
    let roster = 0;
    const takeRoster = (event: RosterEvent) => {
      if (!retell || event.roster <= roster) return;
      ({ roster } = event);
      update(groupId, (row) => retell(row, event));
    };
    const follows = {
      take,
      takeRoster,
      skips: true,
      reset: lookAgainFor(groupId),
      gone: () => remove(groupId),
    };
    leaves.set(groupId, follower.follow(groupId, { seq }, follows));
  }

  const lookAgainFor = (groupId: string) => () => {
    remove(groupId);
    lookAgain();
  };

  function remove(groupId: string): void {
    leaves.get(groupId)?.();
    leaves.delete(groupId);
    counted.delete(groupId);
    change({ items: state.getSnapshot().items.filter((row) => row.groupId !== groupId) });
  }

  function hear(groupId: string, event: ConversationEvent): void {
    const { items } = state.getSnapshot();
    const row = items.find((each) => each.groupId === groupId);
    if (!row || event.seq <= row.headSeq) return;
    const told = heard(row, event);
    const now = retell ? retell(told, event) : told;
    // Whoever speaks moves up.
    if (event.type !== 'MessageSent') return update(groupId, () => now);
    change({ items: [now, ...items.filter((each) => each !== row)] });
  }

  function heard(row: R, event: ConversationEvent): R {
    const { lastMessage, unreadCount } = row;
    if (event.type !== 'MessageSent') {
      const isLast = lastMessage?.id === event.data.messageId;
      return { ...row, headSeq: event.seq, ...(isLast && { lastMessage: changed(lastMessage, event) }) };
    }
    const isUnread = event.data.senderId !== ownId() && event.seq > row.readSeq;
    if (isUnread)
      counted.set(row.groupId, [...(counted.get(row.groupId) ?? []), event.seq].slice(-MOST_COUNTED));
    return {
      ...row,
      headSeq: event.seq,
      lastMessage: messageFrom(event, known, (id) => (lastMessage?.id === id ? lastMessage.seq : null)),
      unreadCount: isUnread ? unreadCount + 1 : unreadCount,
    };
  }

  function takeUnread({ groupId, readSeq, unreadCount, headSeq }: Unread): void {
    const since = (counted.get(groupId) ?? []).filter((seq) => seq > headSeq);
    counted.set(groupId, since);
    const now = unreadCount + since.length;
    update(groupId, (row) => ({ ...row, unreadCount: now, readSeq: Math.max(row.readSeq, readSeq) }));
  }

  function refreshNames(): void {
    const { items } = state.getSnapshot();
    const shown = items.map((row) => {
      const { lastMessage } = row;
      const displayName = lastMessage && known.nameOf(lastMessage.senderId);
      if (!displayName || displayName === lastMessage.sender.displayName) return row;
      return { ...row, lastMessage: { ...lastMessage, sender: { id: lastMessage.senderId, displayName } } };
    });
    if (shown.some((row, index) => row !== items[index])) change({ items: shown });
  }

  return { ...state, loadMore };
}
