import { type Virtualizer, useVirtualizer } from '@tanstack/react-virtual';
import type { Conversation, ConversationState, Message, PendingMessage } from 'slay-e-chat-client';
import { useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { useChat, useStore, useUser } from '../client.tsx';
import { words } from '../words.ts';
import { MessageItem, type MessageActions, PendingItem } from './message-item.tsx';
import { Loading } from './page.tsx';
import { dayOf } from './time.tsx';

/** A message to show and to focus. Each jump is another object. */
export interface Target {
  seq: number;
}

type Row =
  | { key: string; message: Message; day: string | undefined; isFirstNew: boolean; isGrouped: boolean }
  | { key: string; pending: PendingMessage };

/** The usual height of a message, before it is measured. */
const USUAL_PX = 68;
/** Whoever is that close to the end wants to see what comes. */
const CLOSE_PX = 80;
/** Rows from the edge of the window at which the next page is loaded. */
const EARLY = 5;
const GROUPED_MS = 300_000;

const onVisibility = (listener: () => void) => {
  document.addEventListener('visibilitychange', listener);
  return () => document.removeEventListener('visibilitychange', listener);
};

function rowsOf({ messages, pending }: ConversationState, firstNew: number | undefined): Row[] {
  let lastDay: string | undefined;
  const rows = messages.map((message, index): Row => {
    const before = messages[index - 1];
    const day = dayOf(message.occurredAt);
    const isNewDay = day !== lastDay;
    lastDay = day;
    const isFirstNew = message.seq === firstNew;
    const gap = before ? Date.parse(message.occurredAt) - Date.parse(before.occurredAt) : Infinity;
    return {
      // The same as while it was pending, so that it stays where it is.
      key: message.clientMsgId ?? message.id,
      message,
      day: isNewDay ? day : undefined,
      isFirstNew,
      isGrouped: !isNewDay && !isFirstNew && before?.senderId === message.senderId && gap < GROUPED_MS,
    };
  });
  const known = new Set(rows.map(({ key }) => key));
  const waiting = pending.filter(({ clientMsgId }) => !known.has(clientMsgId));
  return [...rows, ...waiting.map((each): Row => ({ key: each.clientMsgId, pending: each }))];
}

function Empty({ status }: Pick<ConversationState, 'status'>) {
  if (status === 'loading') return <Loading />;
  return status === 'ready' && <p className="quiet">{words.conversation.empty}</p>;
}

function Lines({ day, isFirstNew }: { day: string | undefined; isFirstNew: boolean }) {
  return (
    <>
      {day !== undefined && <p className="day">{day}</p>}
      {isFirstNew && <p className="new-line">{words.conversation.newLine}</p>}
    </>
  );
}

/** Number of frames without a change after which a list has found its place. */
const STILL_FRAMES = 4;

/** Calls `then` once `look` has returned the same for some frames. */
function whenStill(look: () => string, then: () => void, last?: string, frames = 0): void {
  requestAnimationFrame(() => {
    const now = look();
    const still = now === last ? frames + 1 : 0;
    if (still >= STILL_FRAMES) then();
    else whenStill(look, then, now, still);
  });
}

/** The messages of a conversation, of which those in sight are drawn. */
export function MessageList({
  conversation,
  state,
  groupId,
  readSeq,
  target,
  ...actions
}: {
  conversation: Conversation;
  state: ConversationState;
  groupId: string;
  /** How far one had read when the conversation was opened. */
  readSeq: number;
  target: Target | undefined;
} & MessageActions) {
  const user = useUser();
  const box = useRef<HTMLDivElement>(null);
  const { messages, pending, hasOlder, hasNewer, status } = state;
  // The line stays where it was when the conversation was opened: what comes later is seen as it comes.
  const line = useRef<{ seq: number | undefined }>(undefined);
  if (status === 'ready')
    line.current ??= {
      seq: messages.find(({ seq, senderId }) => seq > readSeq && senderId !== user.id)?.seq,
    };
  const firstNew = line.current?.seq;
  const rows = useMemo(() => rowsOf(state, firstNew), [state, firstNew]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => USUAL_PX,
    getItemKey: (index) => rows[index]!.key,
    anchorTo: 'end',
    followOnAppend: !hasNewer,
    scrollEndThreshold: CLOSE_PX,
    overscan: 6,
  });

  // Any number of rows may have left the window, and their heights are of no use.
  useEffect(() => {
    const { itemSizeCache: heights } = virtual;
    if (heights.size <= 2 * rows.length) return;
    const kept = new Set<unknown>(rows.map(({ key }) => key));
    for (const key of heights.keys()) if (!kept.has(key)) heights.delete(key);
  }, [virtual, rows]);

  // Whatever changes above what is seen moves it, and is made up for.
  virtual.shouldAdjustScrollPositionOnItemSizeChange = ({ start }) => start < (virtual.scrollOffset ?? 0);
  const goTo = useTravel(virtual, conversation, state);

  // Where it begins: at the first new message, or at the end.
  const isPlaced = useRef(false);
  useLayoutEffect(() => {
    if (isPlaced.current || rows.length === 0 || status !== 'ready') return;
    isPlaced.current = true;
    const index = rows.findIndex((row) => 'message' in row && row.isFirstNew);
    if (index >= 0) goTo(index, 'start');
    else goTo(rows.length - 1, 'end');
  });

  // What one writes is seen at once.
  const lastPending = pending.at(-1)?.clientMsgId;
  useEffect(() => {
    if (lastPending === undefined || !isPlaced.current) return;
    if (conversation.getSnapshot().hasNewer) void conversation.showLatest();
    goTo(rows.length - 1, 'end');
  }, [lastPending]);

  const sought = useRef<Target>(undefined);
  useLayoutEffect(() => {
    sought.current = target;
    const index = rows.findIndex((row) => 'message' in row && row.message.seq === target?.seq);
    if (index >= 0) goTo(index, 'center');
  }, [target]);
  useEffect(() => {
    const found = sought.current && box.current?.querySelector(`[data-seq="${sought.current.seq}"]`);
    if (!found) return;
    sought.current = undefined;
    (found as HTMLElement).focus({ preventScroll: true });
  });

  const items = virtual.getVirtualItems();
  const isVisible = useSyncExternalStore(onVisibility, () => document.visibilityState === 'visible');
  const isAtEnd = !hasNewer && items.length > 0 && virtual.getDistanceFromEnd() <= CLOSE_PX;
  useMarkRead(groupId, messages.at(-1)?.seq, isAtEnd && isVisible && isPlaced.current, readSeq);

  const seen = useSeen(groupId, messages);
  const isWhole = !hasOlder && !hasNewer;
  return (
    <div className="history">
      <div ref={box} className="messages" role="region" aria-label={words.conversation.messages} tabIndex={0}>
        {rows.length === 0 && <Empty status={status} />}
        <ol style={{ blockSize: virtual.getTotalSize() }}>
          {items.map(({ key, index, start }) => {
            const row = rows[index]!;
            return (
              <li
                key={key}
                ref={virtual.measureElement}
                data-index={index}
                aria-posinset={index + 1}
                aria-setsize={isWhole ? rows.length : -1}
                style={{ transform: `translateY(${start}px)` }}
              >
                {'pending' in row ? (
                  <PendingItem message={row.pending} />
                ) : (
                  <>
                    <Lines {...row} />
                    <MessageItem
                      {...actions}
                      message={row.message}
                      original={messages.find(({ id }) => id === row.message.replyTo)}
                      isGrouped={row.isGrouped}
                      isSought={row.message.seq === target?.seq}
                      seenBy={row.message.seq === seen?.seq ? seen.by : undefined}
                    />
                  </>
                )}
              </li>
            );
          })}
        </ol>
      </div>
      {!isAtEnd && rows.length > 0 && isPlaced.current && (
        <button
          type="button"
          className="to-end"
          onClick={() =>
            void (hasNewer ? conversation.showLatest() : Promise.resolve()).then(() =>
              goTo(virtual.options.count - 1, 'end'),
            )
          }
        >
          {words.conversation.newest}
        </button>
      )}
    </div>
  );
}

/**
 * Loads what comes before and after the window as somebody comes near its edges. Returns the function that goes to a row;
 * on the way there nothing is loaded, because rows that come before it would move it.
 */
function useTravel(
  virtual: Virtualizer<HTMLDivElement, Element>,
  conversation: Conversation,
  state: ConversationState,
) {
  const isBusy = useRef(false);
  const [turn, setTurn] = useState(0);
  const { status, hasOlder, hasNewer } = state;
  const { count } = virtual.options;
  const items = virtual.getVirtualItems();

  function rest(): void {
    isBusy.current = false;
    setTurn((before) => before + 1);
  }

  useEffect(() => {
    if (status !== 'ready' || isBusy.current) return;
    // As it is now: the place may have been corrected since the rows were drawn.
    const shown = virtual.getVirtualItems();
    const isNearStart = hasOlder && (shown[0]?.index ?? EARLY) < EARLY;
    const isNearEnd = hasNewer && (shown.at(-1)?.index ?? 0) >= count - EARLY;
    if (!isNearStart && !isNearEnd) return;
    isBusy.current = true;
    void (isNearStart ? conversation.loadOlder() : conversation.loadNewer()).finally(rest);
  }, [conversation, status, hasOlder, hasNewer, count, turn, items[0]?.index, items.at(-1)?.index]);

  return (index: number, align: 'start' | 'center' | 'end'): void => {
    isBusy.current = true;
    virtual.scrollToIndex(index, { align });
    whenStill(() => `${virtual.scrollOffset} ${virtual.getTotalSize()}`, rest);
  };
}

/** Moves the read marker once the last message is in sight. */
function useMarkRead(groupId: string, seq: number | undefined, isSeen: boolean, readSeq: number): void {
  const chat = useChat();
  const marked = useRef(readSeq);
  useEffect(() => {
    if (!isSeen || seq === undefined || seq <= marked.current) return;
    marked.current = seq;
    void chat.markRead(groupId, seq).catch(() => undefined);
  }, [chat, groupId, seq, isSeen]);
}

/** Returns the last message of one's own that others have seen, and their names. */
function useSeen(groupId: string, messages: readonly Message[]) {
  const chat = useChat();
  const user = useUser();
  const members = useMemo(() => chat.members(groupId), [chat, groupId]);
  const { items } = useStore(members);
  return useMemo(() => {
    const others = items.filter(({ userId }) => userId !== user.id);
    const furthest = Math.max(...others.map(({ readSeq }) => readSeq));
    const own = messages.findLast(({ senderId, seq }) => senderId === user.id && seq <= furthest);
    if (!own) return undefined;
    const by = others
      .filter(({ readSeq }) => readSeq >= own.seq)
      .map(({ displayName }) => displayName || words.conversation.somebody);
    return { seq: own.seq, by };
  }, [messages, items, user.id]);
}
