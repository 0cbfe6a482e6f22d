import type { Connection, ServerEvents } from './connection.ts';
import { type Store, type Writable, createStore } from './store.ts';

/** A client that stops typing without a word is believed to type for that long. */
const TYPING_MS = 6_000;
/** While somebody types, the others are told that often. */
const TELL_MS = 3_000;

export interface Presence {
  /** Who is known to be online, by user id. Nobody is while the connection is down. */
  online: Store<ReadonlyMap<string, boolean>>;
  /** Learns from a list of members. */
  learn: (members: readonly { userId: string; online: boolean }[]) => void;
  /** The ids of others who type in a group. */
  typing: (groupId: string) => Store<readonly string[]>;
  /** Tells a group that the caller types, as often as its text field changes, or that it stopped. */
  setTyping: (groupId: string, isTyping: boolean) => void;
}

type Typing = Writable<readonly string[]>;

export function createPresence(
  connection: Pick<Connection, 'on' | 'ask' | 'state'>,
  ownId: () => string | undefined,
): Presence {
  const online = createStore<ReadonlyMap<string, boolean>>(new Map());
  const typing = new Map<string, Typing>();
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  const told = new Map<string, number>();

  const typingIn = (groupId: string): Typing => {
    const known = typing.get(groupId);
    if (known) return known;
    const store: Typing = createStore<readonly string[]>([]);
    typing.set(groupId, store);
    return store;
  };

  function hearTyping({ groupId, userId, isTyping }: ServerEvents['typing']): void {
    const store = typing.get(groupId);
    if (!store || userId === ownId()) return;
    const key = `${groupId} ${userId}`;
    clearTimeout(timers.get(key));
    timers.delete(key);
    const others = store.getSnapshot().filter((id) => id !== userId);
    store.set(isTyping ? [...others, userId] : others);
    if (isTyping) timers.set(key, setTimeout(hearTyping, TYPING_MS, { groupId, userId, isTyping: false }));
  }

  connection.on('typing', hearTyping);
  // Whoever has sent something is done typing it.
  connection.on('messageSent', ({ groupId, data: { senderId: userId } }) =>
    hearTyping({ groupId, userId, isTyping: false }),
  );
  connection.on('presence', ({ userId, online: isOnline }) =>
    online.set(new Map(online.getSnapshot()).set(userId, isOnline)),
  );
  connection.state.subscribe(({ status }) => {
    if (status === 'open') return;
    online.set(new Map());
    for (const timer of timers.values()) clearTimeout(timer);
    timers.clear();
    for (const store of typing.values()) store.set([]);
  });

  return {
    online,
    learn(members) {
      const next = new Map(online.getSnapshot());
      for (const { userId, online: isOnline } of members) next.set(userId, isOnline);
      online.set(next);
    },
    typing: typingIn,
    setTyping(groupId, isTyping) {
      const last = told.get(groupId);
      // Clocks are set back.
      const now = performance.now();
      if (isTyping ? last !== undefined && now - last < TELL_MS : last === undefined) return;
      if (isTyping) told.set(groupId, now);
      else told.delete(groupId);
      void connection.ask('typing', { groupId, isTyping }).catch(() => undefined);
    },
  };
}
