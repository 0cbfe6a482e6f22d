import fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import { type OutboxStore, createOutbox, memoryOutbox } from '../../packages/chat-client/src/outbox.ts';
import { ChatProblem, noAnswer } from '../../packages/chat-client/src/problem.ts';
import { type Tabs, alone } from '../../packages/chat-client/src/tabs.ts';
import { until } from '../../tools/until.ts';
import { fakeConnection } from './fake-connection.ts';

const ADA = 'ada';

interface Asked {
  groupId: string;
  clientMsgId: string;
  text: string;
}

/** A server that keeps messages in the order of their arrival, once for each `clientMsgId`. */
function chatServer() {
  const stored: Asked[] = [];
  return {
    stored,
    texts: (groupId = 'a') => stored.filter((each) => each.groupId === groupId).map(({ text }) => text),
    store(asked: Asked) {
      const known = stored.findIndex(({ clientMsgId }) => clientMsgId === asked.clientMsgId);
      if (known < 0) stored.push(asked);
      const seq = (known < 0 ? stored.length : known + 1) as number;
      return { messageId: `m${seq}`, seq, occurredAt: '', duplicate: known >= 0, position: '' };
    },
  };
}

/** A page with an outbox. `answer` decides what becomes of an attempt. */
function page(
  answer: (asked: Asked) => Promise<unknown>,
  {
    store = memoryOutbox(),
    isShown = false,
    tabs = alone,
  }: { store?: OutboxStore; isShown?: boolean; tabs?: Tabs } = {},
) {
  const fake = fakeConnection((_, payload) => answer(payload));
  const outbox = createOutbox({ connection: fake.connection, store, tabs, isShown: () => isShown });
  const states = () =>
    outbox.pending.getSnapshot().map(({ text, status, failure }) => [text, failure ?? status].join(' '));
  return { ...fake, outbox, states, online: () => fake.state.set({ status: 'open' }) };
}

/** Two tabs of a browser. What one tells reaches the other one in a turn of its own. */
function twoTabs(): [Tabs, Tabs] {
  const listeners: ((told: string) => void)[][] = [[], []];
  const tab = (own: number): Tabs => ({
    tell: (told) => void turn().then(() => listeners[1 - own]!.forEach((listener) => listener(told))),
    onTold: (listener) => void listeners[own]!.push(listener),
  });
  return [tab(0), tab(1)];
}

const refused = new ChatProblem({ code: 'GROUP_CLOSED', status: 409 });
const limited = new ChatProblem({ code: 'RATE_LIMITED', status: 429, retryable: true, retryAfterMs: 1 });

describe('the outbox', () => {
  test('shows a message at once, and sends it when the connection opens', async () => {
    const server = chatServer();
    const { outbox, states, online } = page(async (asked) => server.store(asked));
    await outbox.resume(ADA);
    const { done } = outbox.send({ groupId: 'a', text: 'hello' });
    expect(states()).toEqual(['hello waiting']);
    online();
    expect(await done).toMatchObject({ messageId: 'm1', duplicate: false });
    expect(states()).toEqual([]);
  });

  test('keeps a sent message until the open conversation has heard it', async () => {
    const server = chatServer();
    const { outbox, states, online } = page(async (asked) => server.store(asked), { isShown: true });
    online();
    await outbox.resume(ADA);
    const { done, clientMsgId } = outbox.send({ groupId: 'a', text: 'hello' });
    await done;
    expect(states()).toEqual(['hello sent']);
    outbox.heard({ clientMsgId, messageId: 'm1', seq: 1, occurredAt: '' });
    expect(states()).toEqual([]);
  });

  test('knows from the group what became of a message whose answer was lost', async () => {
    const server = chatServer();
    const { outbox, online, state } = page(async (asked) => {
      server.store(asked);
      state.set({ status: 'connecting' });
      throw noAnswer('lost');
    });
    await outbox.resume(ADA);
    online();
    const { done, clientMsgId } = outbox.send({ groupId: 'a', text: 'hello' });
    await until(() => server.texts().length === 1, 'the message');
    outbox.heard({ clientMsgId, messageId: 'm1', seq: 1, occurredAt: 'then' });
    expect(await done).toEqual({ messageId: 'm1', seq: 1, occurredAt: 'then', duplicate: false });
  });

  test('forgets at the end of a session what waits in any tab, and takes nothing more', async () => {
    const store = memoryOutbox();
    const server = chatServer();
    const [left, right] = [
      page(async (asked) => server.store(asked), { store }),
      page(async () => undefined, { store }),
    ];
    await left!.outbox.resume(ADA);
    await right!.outbox.resume(ADA);
    const mine = left!.outbox.send({ groupId: 'a', text: 'here' });
    right!.outbox.send({ groupId: 'a', text: 'in the other tab' });
    await turn();
    expect(await store.all(ADA)).toHaveLength(2);
    left!.outbox.stop();
    const end = left!.outbox.discard();
    await expect(mine.done).rejects.toMatchObject({ code: 'CANCELLED' });
    await end;
    expect(await store.all(ADA)).toEqual([]);
    expect(() => left!.outbox.send({ groupId: 'a', text: 'too late' })).toThrow('Nobody is logged in');
  });

  test('lets go of what waits for one user when another one comes, and keeps it for the first', async () => {
    const store = memoryOutbox();
    const { outbox, states } = page(async () => undefined, { store });
    await outbox.resume(ADA);
    const { done } = outbox.send({ groupId: 'a', text: 'of Ada' });
    await outbox.resume('bob');
    await expect(done).rejects.toMatchObject({ code: 'NO_ANSWER' });
    expect(states()).toEqual([]);
    await outbox.resume(ADA);
    expect(states()).toEqual(['of Ada waiting']);
  });

  test('sends the messages of a group one after the other, and of other groups meanwhile', async () => {
    const server = chatServer();
    const held = Promise.withResolvers<void>();
    const { outbox, online, asked } = page(async (each) => {
      if (each.text === 'first') await held.promise;
      return server.store(each);
    });
    await outbox.resume(ADA);
    online();
    const all = ['first', 'second', 'third'].map((text) => outbox.send({ groupId: 'a', text }).done);
    await outbox.send({ groupId: 'b', text: 'elsewhere' }).done;
    expect(asked.map(({ payload }) => (payload as Asked).text)).toEqual(['first', 'elsewhere']);
    held.resolve();
    await Promise.all(all);
    expect(server.texts()).toEqual(['first', 'second', 'third']);
  });

  test('repeats under the same clientMsgId after a lost answer, and after the time that the server names', async () => {
    const server = chatServer();
    let tries = 0;
    const { outbox, online, asked } = page(async (each) => {
      tries += 1;
      if (tries === 1) throw limited;
      const sent = server.store(each);
      if (tries === 2) throw noAnswer('lost');
      return sent;
    });
    await outbox.resume(ADA);
    online();
    expect(await outbox.send({ groupId: 'a', text: 'once' }).done).toMatchObject({ duplicate: true });
    expect(new Set(asked.map(({ payload }) => (payload as Asked).clientMsgId)).size).toBe(1);
    expect(server.texts()).toEqual(['once']);
  });

  test('ends a refused message as failed, goes on with the next, and sends it again on request', async () => {
    const server = chatServer();
    let isOpen = false;
    const { outbox, online, states } = page(async (each) => {
      if (each.text === 'refused' && !isOpen) throw refused;
      return server.store(each);
    });
    await outbox.resume(ADA);
    online();
    const { done, clientMsgId } = outbox.send({ groupId: 'a', text: 'refused' });
    await outbox.send({ groupId: 'a', text: 'next' }).done;
    await expect(done).rejects.toMatchObject({ code: 'GROUP_CLOSED', retryable: false });
    expect(states()).toEqual(['refused GROUP_CLOSED']);
    isOpen = true;
    outbox.retry(clientMsgId);
    await until(() => server.texts().length === 2, 'the second try');
    expect(server.texts()).toEqual(['next', 'refused']);
  });

  test('takes back what waits, and not what is on its way', async () => {
    const server = chatServer();
    const held = Promise.withResolvers<void>();
    const store = memoryOutbox();
    const { outbox, online } = page(
      async (each) => {
        await held.promise;
        return server.store(each);
      },
      { store },
    );
    await outbox.resume(ADA);
    online();
    const first = outbox.send({ groupId: 'a', text: 'first' });
    const second = outbox.send({ groupId: 'a', text: 'second' });
    await until(() => outbox.pending.getSnapshot()[0]?.status === 'sending', 'the first to leave');
    expect(await outbox.cancel(first.clientMsgId)).toBe(false);
    expect(await outbox.cancel(second.clientMsgId)).toBe(true);
    await expect(second.done).rejects.toMatchObject({ code: 'CANCELLED' });
    held.resolve();
    await first.done;
    await turn();
    expect(server.texts()).toEqual(['first']);
    expect(await store.all(ADA)).toEqual([]);
  });

  test('sends after a reload what waited, in the order in which it was written, for the same user only', async () => {
    const server = chatServer();
    const store = memoryOutbox();
    const before = page(async (asked) => server.store(asked), { store });
    await before.outbox.resume(ADA);
    for (const text of ['one', 'two', 'three']) before.outbox.send({ groupId: 'a', text });
    await turn();

    const ofBob = page(async (asked) => server.store(asked), { store });
    ofBob.online();
    await ofBob.outbox.resume('bob');
    expect(ofBob.states()).toEqual([]);

    const after = page(async (asked) => server.store(asked), { store });
    await after.outbox.resume(ADA);
    expect(after.states()).toEqual(['one waiting', 'two waiting', 'three waiting']);
    after.outbox.send({ groupId: 'a', text: 'four' });
    after.online();
    await until(() => server.texts().length === 4, 'all');
    expect(server.texts()).toEqual(['one', 'two', 'three', 'four']);
    await until(async () => (await store.all(ADA)).length === 0, 'the store to be empty');
  });

  test('does not send in one tab what another one took back', async () => {
    const server = chatServer();
    const store = memoryOutbox();
    const before = page(async (asked) => server.store(asked), { store });
    await before.outbox.resume(ADA);
    const { clientMsgId } = before.outbox.send({ groupId: 'a', text: 'rash' });
    await turn();
    const [left, right] = [
      page(async (asked) => server.store(asked), { store }),
      page(async (asked) => server.store(asked), { store }),
    ];
    await left!.outbox.resume(ADA);
    await right!.outbox.resume(ADA);
    expect(await left!.outbox.cancel(clientMsgId)).toBe(true);
    right!.online();
    await until(() => right!.states().length === 0, 'it to be dropped');
    expect(server.texts()).toEqual([]);
  });

  test('does not send what another tab took back from the one that wrote it', async () => {
    const server = chatServer();
    const store = memoryOutbox();
    const [writes, reads] = twoTabs();
    const left = page(async (asked) => server.store(asked), { store, tabs: writes });
    await left.outbox.resume(ADA);
    const { clientMsgId, done } = left.outbox.send({ groupId: 'a', text: 'rash' });
    await turn();
    const right = page(async (asked) => server.store(asked), { store, tabs: reads });
    await right.outbox.resume(ADA);
    expect(await right.outbox.cancel(clientMsgId)).toBe(true);
    // It comes back before it has heard of that.
    left.online();
    await expect(done).rejects.toMatchObject({ code: 'CANCELLED' });
    expect([left.states(), server.texts()]).toEqual([[], []]);
  });

  test('keeps nothing that another tab took back while it was being stored', async () => {
    const server = chatServer();
    const store = memoryOutbox();
    const [writes, reads] = twoTabs();
    const slow = Promise.withResolvers<void>();
    let last: Promise<unknown> = slow.promise;
    // As IndexedDB does, it does one thing after the other.
    const queue = <T>(work: () => Promise<T>): Promise<T> => (last = last.then(work)) as Promise<T>;
    const left = page(async (asked) => server.store(asked), {
      store: {
        all: store.all,
        put: (message) => queue(() => store.put(message)),
        remove: (id) => queue(() => store.remove(id)),
      },
      tabs: writes,
    });
    await left.outbox.resume(ADA);
    const { clientMsgId, done } = left.outbox.send({ groupId: 'a', text: 'rash' });
    reads.tell(clientMsgId);
    await expect(done).rejects.toMatchObject({ code: 'CANCELLED' });
    slow.resolve();
    await last;
    expect(await store.all(ADA)).toEqual([]);
  });

  test('says what became of a message that another tab has sent', async () => {
    const server = chatServer();
    const store = memoryOutbox();
    const [writes, reads] = twoTabs();
    const left = page(async (asked) => server.store(asked), { store, tabs: writes });
    await left.outbox.resume(ADA);
    const { clientMsgId, done } = left.outbox.send({ groupId: 'a', text: 'calm' });
    await turn();
    const right = page(async (asked) => server.store(asked), { store, tabs: reads });
    right.online();
    await right.outbox.resume(ADA);
    await until(() => server.texts().length === 1, 'the other tab to send it');
    await until(async () => (await store.all(ADA)).length === 0, 'the store to be empty');
    expect(await left.outbox.cancel(clientMsgId)).toBe(false);
    left.online();
    expect(await done).toMatchObject({ messageId: 'm1', duplicate: true });
    expect(server.texts()).toEqual(['calm']);
  });

  test('goes on in memory where nothing can be stored', async () => {
    const server = chatServer();
    const fail = async () => {
      throw new Error('The quota is exceeded');
    };
    const { outbox, online } = page(async (asked) => server.store(asked), {
      store: { all: fail, put: fail, remove: fail },
    });
    await outbox.resume(ADA);
    online();
    await outbox.send({ groupId: 'a', text: 'hello' }).done;
    expect(server.texts()).toEqual(['hello']);
  });

  test('loses, repeats and reorders nothing over reloads in two tabs, whatever fails', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('send' as const), tab: fc.integer({ min: 0, max: 1 }) }),
      fc.record({ do: fc.constant('fail' as const), tab: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ do: fc.constant('cut' as const), tab: fc.integer({ min: 0, max: 1 }) }),
      fc.record({ do: fc.constant('reload' as const), tab: fc.integer({ min: 0, max: 1 }) }),
      fc.record({ do: fc.constant('wait' as const), tab: fc.constant(0) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const server = chatServer();
        const store = memoryOutbox();
        let failures = 0;
        const answer = async (asked: Asked) => {
          await turn();
          const kind = failures > 0 ? failures % 3 : -1;
          failures = Math.max(0, failures - 1);
          if (kind === 0) throw limited;
          const sent = server.store(asked);
          if (kind === 1) throw new ChatProblem({ code: 'UNAVAILABLE', retryable: true, retryAfterMs: 1 });
          return sent;
        };
        const open = async () => {
          const tab = page(answer, { store });
          await tab.outbox.resume(ADA);
          tab.online();
          return tab;
        };
        const tabs = [await open(), await open()];
        const written: string[][] = [[], []];
        for (const { do: what, tab } of steps) {
          if (what === 'send') {
            const text = `${tab} ${written[tab]!.length}`;
            written[tab]!.push(text);
            tabs[tab]!.outbox.send({ groupId: 'a', text });
            await Promise.resolve();
          }
          if (what === 'fail') failures = tab;
          if (what === 'cut') {
            tabs[tab]!.state.set({ status: 'connecting' });
            await turn();
            tabs[tab]!.online();
          }
          if (what === 'reload') {
            tabs[tab]!.state.set({ status: 'closed' });
            tabs[tab]!.outbox.stop();
            tabs[tab] = await open();
          }
          if (what === 'wait') await turn();
        }
        const count = written.flat().length;
        await until(() => server.stored.length >= count, 'all messages', 10_000);
        await until(async () => (await store.all(ADA)).length === 0, 'the store to be empty', 10_000);
        expect(server.stored).toHaveLength(count);
        for (const tab of [0, 1])
          expect(server.texts().filter((text) => text.startsWith(`${tab} `))).toEqual(written[tab]);
        for (const { outbox } of tabs) outbox.stop();
      }),
      { numRuns: 100 },
    );
  }, 120_000);
});
