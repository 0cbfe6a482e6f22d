import fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import {
  type ConversationState,
  type Part,
  createConversation,
} from '../../packages/chat-client/src/conversation.ts';
import { type ConversationEvent, createFollower } from '../../packages/chat-client/src/follower.ts';
import { type Message, changed, messageFrom } from '../../packages/chat-client/src/message.ts';
import { ChatProblem } from '../../packages/chat-client/src/problem.ts';
import type { PendingMessage } from '../../packages/chat-client/src/outbox.ts';
import { createStore } from '../../packages/chat-client/src/store.ts';
import { until } from '../../tools/until.ts';
import { fakeConnection } from './fake-connection.ts';

const GROUP = 'a';
const known = {
  nameOf: (id: string) => id.toUpperCase(),
  file: (fileId: string) => ({
    ...{ fileId, name: '', contentType: 'text/plain', size: 0 },
    ...{ status: 'pending' as const, hasThumbnail: false },
  }),
  changes: [],
};

const facts = (type: string, seq: number) => ({
  ...{ id: `e${seq}`, type, v: 1, groupId: GROUP, seq },
  ...{ occurredAt: `at ${seq}`, actorId: 'ada' },
});
const sent = (seq: number) =>
  ({
    ...facts('MessageSent', seq),
    data: {
      ...{ groupId: GROUP, messageId: `m${seq}`, senderId: 'ada', clientMsgId: `c${seq}` },
      ...{ text: `text ${seq}`, fileIds: [], replyTo: null },
    },
  }) as unknown as ConversationEvent;
const edited = (seq: number, of: number) =>
  ({
    ...facts('MessageEdited', seq),
    data: { groupId: GROUP, messageId: `m${of}`, text: `text ${of}, as of ${seq}` },
  }) as unknown as ConversationEvent;
const deleted = (seq: number, of: number) =>
  ({
    ...facts('MessageDeleted', seq),
    data: { groupId: GROUP, messageId: `m${of}` },
  }) as unknown as ConversationEvent;

/** Returns what a reader sees of a log. */
function shown(log: readonly ConversationEvent[]): Message[] {
  let messages: Message[] = [];
  for (const event of log) {
    if (event.type === 'MessageSent') messages.push(messageFrom(event, known, () => null));
    else messages = messages.map((each) => (each.id === event.data.messageId ? changed(each, event) : each));
  }
  return messages;
}

/** A server with one conversation, whose read model may lag behind the log, and a window of it. */
function stage({ page = 4 } = {}) {
  const log: ConversationEvent[] = [];
  const model = { lag: 0 };
  const fake = fakeConnection(async (_, payload) => {
    const { groups } = payload as { groups: { afterSeq: number }[] };
    const { afterSeq } = groups[0]!;
    const events = log.slice(afterSeq, afterSeq + 3);
    return {
      epoch: 'one',
      denied: [],
      groups: [
        { groupId: GROUP, events, headSeq: log.length, complete: afterSeq + events.length === log.length },
      ],
    };
  });
  async function load({ beforeSeq, afterSeq, aroundSeq }: Part) {
    await turn();
    const headSeq = log.length - Math.min(model.lag, log.length);
    const all = shown(log.slice(0, headSeq));
    const answer = (data: Message[], hasMore: boolean) => ({ data, hasMore, headSeq, epoch: 'one' });
    if (afterSeq !== undefined) {
      const rest = all.filter(({ seq }) => seq > afterSeq);
      return answer(rest.slice(0, page), rest.length > page);
    }
    if (aroundSeq !== undefined) {
      const at = all.findIndex(({ seq }) => seq >= aroundSeq);
      const from = Math.max(0, at - page / 2);
      const data = all.slice(from, from + page);
      return answer(data, data.length < all.length);
    }
    const rest = all.filter(({ seq }) => seq < (beforeSeq ?? Infinity));
    return answer(rest.slice(-page), rest.length > page);
  }
  const pending = createStore<readonly PendingMessage[]>([]);
  const heard: string[] = [];
  const follower = createFollower(fake.connection);
  const conversation = createConversation({
    ...{ groupId: GROUP, load, follower, known, pending },
    heard: ({ clientMsgId }) => heard.push(clientMsgId),
  });
  fake.state.set({ status: 'open' });
  const state = () => conversation.getSnapshot();
  return {
    ...fake,
    ...{ conversation, log, model, heard, pending, state },
    texts: () => state().messages.map(({ text }) => text),
    say(event: ConversationEvent, isPushed = true) {
      log.push(event);
      const name = `${event.type[0]!.toLowerCase()}${event.type.slice(1)}` as 'messageSent';
      if (isPushed) fake.push(name, event as never);
    },
    becomes: (what: string, is: (now: ConversationState) => boolean) => until(() => is(state()), what, 5_000),
  };
}

const isReady = ({ status }: ConversationState) => status === 'ready';
const settle = async () => {
  for (let turns = 0; turns < 30; turns += 1) await turn();
};

describe('the window of a conversation', () => {
  test('begins with the newest page and adds what is said', async () => {
    const { conversation, log, say, becomes, texts, state } = stage();
    for (let seq = 1; seq <= 6; seq += 1) log.push(sent(seq));
    conversation.subscribe(() => {});
    await becomes('ready', isReady);
    expect(texts()).toEqual(['text 3', 'text 4', 'text 5', 'text 6']);
    expect(state()).toMatchObject({ hasOlder: true, hasNewer: false, headSeq: 6 });
    say(sent(7));
    say(edited(8, 6));
    say(deleted(9, 5));
    await settle();
    expect(texts()).toEqual(['text 3', 'text 4', null, 'text 6, as of 8', 'text 7']);
  });

  test('loads older messages until there are none', async () => {
    const { conversation, log, becomes, texts, state } = stage();
    for (let seq = 1; seq <= 6; seq += 1) log.push(sent(seq));
    conversation.subscribe(() => {});
    await becomes('ready', isReady);
    await Promise.all([conversation.loadOlder(), conversation.loadOlder()]);
    expect(texts()).toEqual([1, 2, 3, 4, 5, 6].map((seq) => `text ${seq}`));
    expect(state().hasOlder).toBe(false);
  });

  test('moves to a hit, and comes to the end without a gap', async () => {
    const { conversation, log, say, becomes, texts, state } = stage();
    for (let seq = 1; seq <= 12; seq += 1) log.push(sent(seq));
    conversation.subscribe(() => {});
    await becomes('ready', isReady);
    await conversation.showAround(4);
    expect(texts()).toEqual(['text 2', 'text 3', 'text 4', 'text 5']);
    say(sent(13));
    say(edited(14, 3));
    await settle();
    expect(texts()).toEqual(['text 2', 'text 3, as of 14', 'text 4', 'text 5']);
    while (state().hasNewer) await conversation.loadNewer();
    say(sent(15));
    await settle();
    expect(texts().slice(-4)).toEqual(['text 11', 'text 12', 'text 13', 'text 15']);
  });

  test('hands back own messages, by page and by event', async () => {
    const { conversation, log, say, becomes, heard } = stage();
    log.push(sent(1));
    conversation.subscribe(() => {});
    await becomes('ready', isReady);
    say(sent(2));
    await settle();
    expect(heard).toEqual(['c1', 'c2']);
  });

  test('hands back own messages that are older than its page', async () => {
    const { conversation, log, becomes, heard, pending } = stage();
    for (let seq = 1; seq <= 6; seq += 1) log.push(sent(seq));
    const answer = { messageId: 'm1', seq: 1, occurredAt: 'at 1', duplicate: false };
    const message = { groupId: GROUP, clientMsgId: 'c1', userId: 'ada', queuedAt: 0, text: 'text 1' };
    pending.set([{ ...message, status: 'sent', sent: answer }]);
    conversation.subscribe(() => {});
    await becomes('ready', isReady);
    await settle();
    expect(heard).toContain('c1');
    const late = { ...message, clientMsgId: 'c2', sent: { ...answer, messageId: 'm2', seq: 2 } };
    pending.set([{ ...late, status: 'sent' }]);
    await settle();
    expect(heard).toContain('c2');
  });

  test('forgets what it had when the group is gone', async () => {
    const { conversation, log, push, becomes, state } = stage();
    log.push(sent(1));
    conversation.subscribe(() => {});
    await becomes('ready', isReady);
    push('leaveRoom', { groupId: GROUP, reason: 'removed' });
    await becomes('gone', ({ status }) => status === 'gone');
    expect(state().messages).toEqual([]);
  });

  test('is shown again when the socket is put into the room again', async () => {
    const { conversation, log, push, say, becomes, texts } = stage();
    log.push(sent(1));
    conversation.subscribe(() => {});
    await becomes('ready', isReady);
    push('leaveRoom', { groupId: GROUP, reason: 'removed' });
    await becomes('gone', ({ status }) => status === 'gone');
    log.push(sent(2));
    push('joinRoom', { groupId: GROUP, headSeq: 2, rosterHead: 1, epoch: 'one', kind: 'thread' });
    await becomes('ready again', isReady);
    say(sent(3));
    await settle();
    expect(texts()).toEqual(['text 1', 'text 2', 'text 3']);
  });

  test('says why a page could not be loaded, and tries again on request', async () => {
    const pending = createStore<readonly PendingMessage[]>([]);
    let isDown = true;
    const conversation = createConversation({
      ...{
        groupId: GROUP,
        known,
        pending,
        heard: () => {},
        follower: { follow: () => () => {}, onNews: () => () => {} },
      },
      async load() {
        if (isDown) throw new ChatProblem({ code: 'UNAVAILABLE', status: 503, retryable: true });
        return { data: shown([sent(1)]), hasMore: false, headSeq: 1, epoch: 'one' };
      },
    });
    conversation.subscribe(() => {});
    await until(() => conversation.getSnapshot().status === 'failed');
    expect(conversation.getSnapshot().problem).toMatchObject({ code: 'UNAVAILABLE' });
    isDown = false;
    await conversation.showLatest();
    expect(conversation.getSnapshot()).toMatchObject({ status: 'ready', headSeq: 1 });
    expect(conversation.getSnapshot().problem).toBeUndefined();
  });

  test('keeps a bounded window while thousands of messages arrive', async () => {
    const { conversation, say, becomes, state } = stage();
    conversation.subscribe(() => {});
    await becomes('ready', isReady);
    for (let seq = 1; seq <= 3_000; seq += 1) say(sent(seq));
    await settle();
    const { messages, hasOlder } = state();
    expect(messages.at(-1)!.seq).toBe(3_000);
    expect(messages.length).toBeLessThanOrEqual(500);
    expect(hasOlder).toBe(true);
  });

  test('shows what a reader of the log sees, whatever lags, is lost, or is loaded meanwhile', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant({ do: 'say' as const, n: 0 }) },
      fc.record({ do: fc.constant('edit' as const), n: fc.nat(30) }),
      fc.record({ do: fc.constant('delete' as const), n: fc.nat(30) }),
      fc.record({ do: fc.constant('lose' as const), n: fc.nat(30) }),
      fc.record({ do: fc.constant('lag' as const), n: fc.nat(4) }),
      fc.constant({ do: 'older' as const, n: 0 }),
      fc.constant({ do: 'newer' as const, n: 0 }),
      fc.record({ do: fc.constant('around' as const), n: fc.nat(30) }),
      fc.constant({ do: 'latest' as const, n: 0 }),
      fc.record({ do: fc.constant('wait' as const), n: fc.nat(3) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const { conversation, log, model, say, state, push } = stage();
        conversation.subscribe(() => {});
        for (const { do: what, n } of steps) {
          const seq = log.length + 1;
          const messages = shown(log);
          const some = messages[n % Math.max(1, messages.length)];
          if (what === 'say') say(sent(seq));
          if (what === 'lose') say(sent(seq), false);
          if (what === 'edit' && some && some.deletedAt === null) say(edited(seq, some.seq));
          if (what === 'delete' && some && some.deletedAt === null) say(deleted(seq, some.seq), n % 2 === 0);
          if (what === 'lag') model.lag = n;
          if (what === 'older') void conversation.loadOlder();
          if (what === 'newer') void conversation.loadNewer();
          if (what === 'around') void conversation.showAround(n);
          if (what === 'latest') void conversation.showLatest();
          if (what === 'wait') for (let turns = 0; turns < n; turns += 1) await turn();
        }
        model.lag = 0;
        await settle();
        push('heads', { groups: { [GROUP]: log.length }, epoch: 'one' } as never);
        await settle();
        for (let pages = 0; pages < 40 && state().hasNewer; pages += 1) await conversation.loadNewer();
        await settle();
        const { messages, hasNewer } = state();
        const all = shown(log);
        const first = messages[0]?.seq ?? Infinity;
        expect(hasNewer).toBe(false);
        expect(messages).toEqual(all.filter(({ seq }) => seq >= first));
        if (all.length > 0) expect(messages.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  }, 120_000);
});
