import type { ConversationEvent, Follower, Follows } from './follower.ts';
import { type Known, type Message, changed, messageFrom } from './message.ts';
import type { Heard, PendingMessage } from './outbox.ts';
import { type ChatProblem, asProblem } from './problem.ts';
import type { components } from './protocol.ts';
import { type Owned, type Store, createStore } from './store.ts';
import { createRetry } from './waiting.ts';

type HistoryPage = components['schemas']['HistoryPage'];
/** Which part of a history: the newest without any, or before, after or around a seq. */
export type Part = { beforeSeq?: number; afterSeq?: number; aroundSeq?: number };

/** A window of a conversation. */
export interface ConversationState {
  /** `gone`: the group does not exist for the caller, or no longer. */
  status: 'loading' | 'ready' | 'failed' | 'gone';
  /** Why the last page could not be loaded. */
  problem?: ChatProblem;
  /** In the order of the conversation. */
  messages: readonly Message[];
  /** Messages of one's own that the group has not heard yet, after `messages`. */
  pending: readonly PendingMessage[];
  hasOlder: boolean;
  /** True while the window does not reach the end: then nothing live is added to it. */
  hasNewer: boolean;
  /** The seq of the last event of the group, as far as it is known. */
  headSeq: number;
}

export interface Conversation extends Store<ConversationState> {
  loadOlder: () => Promise<void>;
  loadNewer: () => Promise<void>;
  /** Moves the window to a message, for example to a hit of a search. */
  showAround: (seq: number) => Promise<void>;
  showLatest: () => Promise<void>;
}

export interface ConversationDeps {
  groupId: string;
  load: (part: Part) => Promise<HistoryPage>;
  follower: Pick<Follower, 'follow' | 'onNews'>;
  /** Names and files that arrive later change what is shown. */
  known: Known & { changes: Pick<Store<unknown>, 'subscribe'>[] };
  pending: Store<readonly PendingMessage[]>;
  /** Called with each message that the group has heard and that may be one's own. */
  heard: (message: Heard) => void;
}

/** Largest number of messages in a window, and how many beyond it leave at once. */
const MOST = 400;
const SLACK = 100;

const EMPTY: ConversationState = {
  ...{ status: 'loading', messages: [], pending: [], headSeq: 0 },
  ...{ hasOlder: false, hasNewer: false },
};

/** Creates the window of one conversation. It is loaded, and kept up to date, while somebody listens. */
export function createConversation({
  groupId,
  load,
  follower,
  known,
  pending,
  heard,
}: ConversationDeps): Conversation & Owned {
  const state = createStore(EMPTY, { onUsed: use, onUnused: rest });
  const retry = createRetry();
  let leave = nothing;
  let endings: (() => void)[] = [];
  /** Up to which seq the window shows what happened. */
  let cursor = 0;
  /** Loads follow each other; one that was overtaken by a move of the window is dropped. */
  let version = 0;
  let loading: Promise<void> = Promise.resolve();

  const change = (changes: Partial<ConversationState>) => state.set({ ...state.getSnapshot(), ...changes });
  const ownPending = () => pending.getSnapshot().filter((message) => message.groupId === groupId);

  /** A message of one's own may be older than the page that was loaded: then no event comes for it. */
  function hearEarlier(): void {
    if (leave === nothing) return;
    for (const { clientMsgId, sent } of ownPending()) {
      if (!sent || sent.seq > cursor) continue;
      const { messageId, seq, occurredAt } = sent;
      heard({ clientMsgId, messageId, seq, occurredAt });
    }
  }

  const follows: Follows = { take, reset: () => void showLatest(), skips: true, gone };

  function use(): void {
    change({ pending: ownPending() });
    endings = [
      pending.subscribe(() => {
        change({ pending: ownPending() });
        hearEarlier();
      }),
      ...known.changes.map((each) => each.subscribe(refreshNames)),
      follower.onNews(({ groupId: moved }) => {
        if (moved === groupId) comeBack();
      }),
    ];
    void showLatest();
  }

  function rest(): void {
    version += 1;
    retry.reset();
    leave();
    for (const end of endings) end();
    endings = [];
    state.set(EMPTY);
  }

  function gone(): void {
    version += 1;
    retry.reset();
    leave();
    state.set({ ...EMPTY, status: 'gone' });
  }

  /** The caller is a member again: it was added, or what it may do in its company has changed. */
  function comeBack(): void {
    if (state.getSnapshot().status === 'gone') void showLatest();
  }

  function take(event: ConversationEvent): void {
    if (event.seq <= cursor) return;
    cursor = event.seq;
    const { messages, hasNewer } = state.getSnapshot();
    if (event.type !== 'MessageSent') {
      const { messageId } = event.data;
      const shown = messages.map((message) => (message.id === messageId ? changed(message, event) : message));
      return change({ messages: shown, headSeq: cursor });
    }
    const { clientMsgId, messageId: sentId } = event.data;
    heard({ clientMsgId, messageId: sentId, seq: event.seq, occurredAt: event.occurredAt });
    const isNew = !hasNewer && (messages.at(-1)?.seq ?? 0) < event.seq;
    if (!isNew) return change({ headSeq: cursor });
    const seqOf = (id: string) => messages.find((message) => message.id === id)?.seq ?? null;
    const all = [...messages, messageFrom(event, known, seqOf)];
    const isTooLong = all.length > MOST + SLACK;
    change({
      messages: isTooLong ? all.slice(-MOST) : all,
      headSeq: cursor,
      ...(isTooLong && { hasOlder: true }),
    });
  }

  function refreshNames(): void {
    const { messages } = state.getSnapshot();
    const shown = messages.map(withKnown);
    if (shown.some((message, index) => message !== messages[index])) change({ messages: shown });
  }

  function withKnown(message: Message): Message {
    const displayName = known.nameOf(message.senderId) || message.sender.displayName;
    const files = message.files.map(({ fileId }) => known.file(fileId));
    const isSame =
      displayName === message.sender.displayName &&
      files.every((file, index) => file === message.files[index]);
    return isSame ? message : { ...message, files, sender: { id: message.senderId, displayName } };
  }

  /** Loads one page after another. `place` returns the window with the page in it. */
  function page(
    part: () => Part | undefined,
    place: (page: HistoryPage) => Partial<ConversationState>,
    again?: () => void,
  ): Promise<void> {
    const mine = version;
    loading = loading.then(async () => {
      const asked = part();
      if (mine !== version || asked === undefined) return;
      try {
        const found = await load(asked);
        if (mine !== version) return;
        retry.reset();
        const { messages, ...rest } = { ...state.getSnapshot(), ...place(found) };
        const { problem: _, ...sound } = rest;
        for (const { clientMsgId, id, seq, occurredAt } of found.data)
          if (clientMsgId !== undefined) heard({ clientMsgId, messageId: id, seq, occurredAt });
        state.set({
          ...sound,
          status: 'ready',
          messages: messages.map(withKnown),
          headSeq: Math.max(rest.headSeq, found.headSeq),
        });
        // Pages may lag behind events that were delivered already: those come once more.
        if (leave === nothing || found.headSeq < cursor) followFrom(found.headSeq);
        hearEarlier();
      } catch (error) {
        if (mine !== version) return;
        const problem = asProblem(error);
        if (problem.code === 'GROUP_NOT_FOUND') return gone();
        change({ status: 'failed', problem });
        // There is nothing to see without it. Other pages are asked for again by whoever scrolls.
        if (again) retry.after(problem, again);
      }
    });
    return loading;
  }

  function followFrom(seq: number): void {
    leave();
    cursor = seq;
    leave = follower.follow(groupId, { seq }, follows);
  }

  /** Starts a window of its own: what was loaded before has nothing to do with it. */
  function show(
    part: Part,
    ends: (page: HistoryPage) => Pick<ConversationState, 'hasOlder' | 'hasNewer'>,
  ): Promise<void> {
    version += 1;
    leave();
    leave = nothing;
    change({ status: 'loading' });
    return page(
      () => part,
      (found) => ({ messages: found.data, ...ends(found), headSeq: found.headSeq }),
      () => void show(part, ends),
    );
  }

  const showLatest = () => show({}, ({ hasMore }) => ({ hasOlder: hasMore, hasNewer: false }));

  return {
    ...state,
    showLatest,
    // Which side has more is not said: a page of that side will tell.
    showAround: (seq) =>
      show({ aroundSeq: seq }, ({ hasMore }) => ({ hasOlder: hasMore, hasNewer: hasMore })),
    loadOlder: () =>
      page(
        () => {
          const { messages, hasOlder } = state.getSnapshot();
          return hasOlder && messages[0] ? { beforeSeq: messages[0].seq } : undefined;
        },
        ({ data, hasMore }) => {
          const { messages, hasNewer } = state.getSnapshot();
          const all = [...data, ...messages];
          const isTooLong = all.length > MOST + SLACK;
          return {
            messages: isTooLong ? all.slice(0, MOST) : all,
            hasOlder: hasMore,
            hasNewer: hasNewer || isTooLong,
          };
        },
      ),
    loadNewer: () =>
      page(
        () => {
          const { messages, hasNewer } = state.getSnapshot();
          return hasNewer && messages.length > 0 ? { afterSeq: messages.at(-1)!.seq } : undefined;
        },
        ({ data, hasMore }) => {
          const { messages, hasOlder } = state.getSnapshot();
          const all = [...messages, ...data];
          const isTooLong = all.length > MOST + SLACK;
          return {
            messages: isTooLong ? all.slice(-MOST) : all,
            hasNewer: hasMore,
            hasOlder: hasOlder || isTooLong,
          };
        },
      ),
  };
}

const nothing = () => {};
