import type { Answer, Connection } from './connection.ts';
import { ChatProblem, asProblem, noAnswer } from './problem.ts';
import { type Store, createStore } from './store.ts';
import { type Tabs, alone } from './tabs.ts';
import { backOff, lock, pause } from './waiting.ts';

export interface NewMessage {
  groupId: string;
  text?: string | null;
  fileIds?: string[];
  /** The id of the message that this one answers. */
  replyTo?: string;
  /** Names the message for ever: the same one is never sent twice. Default: a new UUID. */
  clientMsgId?: string;
}

/** A message as the outbox keeps it, plain data for any store. */
export interface QueuedMessage extends NewMessage {
  clientMsgId: string;
  userId: string;
  /** When it was written, in milliseconds since 1970. */
  queuedAt: number;
  /** The code of the refusal, for a message that has failed. */
  failure?: string;
}

/** Where messages wait, also while the page is closed. */
export interface OutboxStore {
  /** Resolves with all messages of a user, in the order in which they were first put. */
  all: (userId: string) => Promise<QueuedMessage[]>;
  /** Adds a message, or replaces the one with its `clientMsgId`, which keeps its place. */
  put: (message: QueuedMessage) => Promise<void>;
  remove: (clientMsgId: string) => Promise<void>;
}

type Acknowledged = Answer<'sendMessage'>;
/** What became of a message. `position` is absent when the group had heard it before the answer arrived. */
export type Sent = Omit<Acknowledged, 'position'> & Partial<Pick<Acknowledged, 'position'>>;

/** A message of one's own, as its group has heard it. */
export type Heard = Pick<Sent, 'messageId' | 'seq' | 'occurredAt'> & { clientMsgId: string };

/** A message that the group has not heard yet. */
export interface PendingMessage extends QueuedMessage {
  status: 'waiting' | 'sending' | 'sent' | 'failed';
  /** Once it is sent. */
  sent?: Sent;
  /** Why it failed. */
  problem?: ChatProblem;
}

export interface Sending {
  clientMsgId: string;
  /** Resolves once the message is stored on the server. Rejects with `ChatProblem` when it is refused or cancelled. */
  done: Promise<Sent>;
}

export interface Outbox {
  /** All messages that wait, are on their way, or have failed, in the order in which they were written. */
  pending: Store<readonly PendingMessage[]>;
  /** Queues a message and returns at once. Messages of one group are sent one after the other. */
  send: (message: NewMessage) => Sending;
  /** Takes back a message that waits or has failed. Resolves with false if it is on its way or sent. */
  cancel: (clientMsgId: string) => Promise<boolean>;
  /** Sends a failed message once more. */
  retry: (clientMsgId: string) => void;
  /** Drops a message from `pending`: its group has heard it. */
  heard: (message: Heard) => void;
  /** Loads what was left when the page was closed, and sends it. */
  resume: (userId: string) => Promise<void>;
  /** Forgets the user. What waits stays in the store. */
  release: () => void;
  /** Forgets what waits for the user, in all tabs, and that it was here. */
  discard: () => Promise<void>;
  /** Stops sending. What waits stays in the store. */
  stop: () => void;
}

/** Returns a store for one process: nothing survives it. */
export function memoryOutbox(): OutboxStore {
  const messages = new Map<string, QueuedMessage>();
  return {
    all: async (userId) => [...messages.values()].filter((message) => message.userId === userId),
    put: async (message) => void messages.set(message.clientMsgId, message),
    remove: async (clientMsgId) => void messages.delete(clientMsgId),
  };
}

const stored = ({ status: _, sent: __, problem: ___, ...message }: PendingMessage): QueuedMessage => message;

export interface OutboxDeps {
  connection: Pick<Connection, 'ask' | 'opened' | 'state'>;
  store: OutboxStore;
  /** The other tabs that share the store. */
  tabs?: Tabs;
  /** Whether a conversation is open, which says when it has `heard` a message. */
  isShown: (groupId: string) => boolean;
}

/** An answer of the server takes longer than a word to another tab. */
const TOLD_MS = 50;

export function createOutbox({ connection, store, tabs = alone, isShown }: OutboxDeps): Outbox {
  const pending = createStore<readonly PendingMessage[]>([]);
  const waiters = new Map<string, PromiseWithResolvers<Sent>>();
  const busyGroups = new Set<string>();
  let stopped = new AbortController();
  let owner: string | undefined;
  let resuming: Promise<void> = Promise.resolve();
  /** Messages that were left by a page, which other tabs may have too. */
  const left = new Set<string>();
  /** Messages that the store did not take. This page has them alone. */
  const unstored = new Set<string>();

  const find = (clientMsgId: string) =>
    pending.getSnapshot().find((message) => message.clientMsgId === clientMsgId);

  /** Returns a message that has not left this page. */
  function unsent(clientMsgId: string): PendingMessage | undefined {
    const message = find(clientMsgId);
    return message?.status === 'waiting' || message?.status === 'failed' ? message : undefined;
  }

  function change(clientMsgId: string, changes: Partial<PendingMessage>): void {
    pending.set(
      pending
        .getSnapshot()
        .map((message) => (message.clientMsgId === clientMsgId ? { ...message, ...changes } : message)),
    );
  }

  function drop(clientMsgId: string): void {
    pending.set(pending.getSnapshot().filter((message) => message.clientMsgId !== clientMsgId));
  }

  /** Lets go of everything that is pending here. The store keeps it. */
  function empty(problem: ChatProblem): void {
    pending.set([]);
    left.clear();
    for (const { reject } of waiters.values()) reject(problem);
  }

  function add(message: PendingMessage): void {
    pending.set([...pending.getSnapshot(), message]);
  }

  /** A store may fail, as IndexedDB does in some private windows. The message is then kept by this page alone. */
  const keep = (message: QueuedMessage) =>
    store.put(message).catch(() => void unstored.add(message.clientMsgId));

  const forget = (clientMsgId: string) => store.remove(clientMsgId).catch(() => undefined);

  const nextOf = (groupId: string) =>
    pending.getSnapshot().find((message) => message.groupId === groupId && message.status === 'waiting');

  async function work(groupId: string): Promise<void> {
    if (busyGroups.has(groupId)) return;
    busyGroups.add(groupId);
    const { signal } = stopped;
    try {
      for (let tries = 0; !signal.aborted;) {
        if (!nextOf(groupId)) return;
        await Promise.all([resuming, connection.opened(signal)]);
        // Only now, because what an earlier page left comes first.
        const next = nextOf(groupId);
        if (!next) return;
        const problem = await attempt(next);
        if (problem?.retryable) {
          if (connection.state.getSnapshot().status === 'open')
            await pause(problem.retryAfterMs ?? backOff(tries), signal);
          tries += 1;
        } else tries = 0;
      }
    } catch {
      // The connection is closed: `resume` or the next message goes on.
    } finally {
      busyGroups.delete(groupId);
    }
  }

  /** What is gone from the store, another tab has sent or taken back. */
  const isStored = async ({ clientMsgId, userId }: PendingMessage): Promise<boolean> =>
    unstored.has(clientMsgId) ||
    store.all(userId).then(
      (all) => all.some((message) => message.clientMsgId === clientMsgId),
      () => true,
    );

  /** No tab takes a message back while another one sends it. */
  const lockMessage = <T>(clientMsgId: string, work: () => Promise<T>): Promise<T> =>
    lock(`chat-outbox ${clientMsgId}`, work);

  /** Every tab sends what is in the store, those of one group one after the other. */
  const attempt = ({ clientMsgId, userId, groupId }: PendingMessage): Promise<ChatProblem | undefined> =>
    lock(`chat-outbox ${userId} ${groupId}`, () => lockMessage(clientMsgId, () => sendNow(clientMsgId)));

  async function sendNow(clientMsgId: string): Promise<ChatProblem | undefined> {
    const waiting = find(clientMsgId);
    if (waiting?.status !== 'waiting') return undefined;
    if (!(await isStored(waiting))) {
      if (left.has(clientMsgId)) {
        drop(clientMsgId);
        return undefined;
      }
      // If it was taken back, that is told in a moment. What was sent gets the same answer once more.
      await pause(TOLD_MS);
    }
    const message = find(clientMsgId);
    if (message?.status !== 'waiting') return undefined;
    const { groupId, text, fileIds, replyTo } = message;
    change(clientMsgId, { status: 'sending' });
    try {
      const content = {
        ...(text != null && { text }),
        ...(fileIds && { fileIds }),
        ...(replyTo && { replyTo }),
      };
      const sent = await connection.ask('sendMessage', { groupId, clientMsgId, ...content });
      await forget(clientMsgId);
      if (isShown(groupId)) change(clientMsgId, { status: 'sent', sent });
      else drop(clientMsgId);
      waiters.get(clientMsgId)?.resolve(sent);
      return undefined;
    } catch (error) {
      const problem = asProblem(error);
      if (problem.retryable) change(clientMsgId, { status: 'waiting' });
      else await fail(message, problem);
      return problem;
    }
  }

  async function fail(message: PendingMessage, problem: ChatProblem): Promise<void> {
    const { clientMsgId } = message;
    // It was forgotten, or heard, in the meantime.
    if (!find(clientMsgId)) return;
    await keep({ ...stored(message), failure: problem.code });
    change(clientMsgId, { status: 'failed', problem, failure: problem.code });
    waiters.get(clientMsgId)?.reject(problem);
  }

  /** Takes over what the store has: of an earlier page, or of another tab. Its order is that of the store. */
  async function load(userId: string): Promise<void> {
    const all = await store.all(userId).catch(() => []);
    if (owner !== userId) return;
    const found = all.filter(({ clientMsgId }) => !find(clientMsgId));
    for (const { clientMsgId } of found) left.add(clientMsgId);
    const taken = found.map((message): PendingMessage => ({
      ...message,
      status: message.failure === undefined ? 'waiting' : 'failed',
    }));
    const places = new Map(all.map(({ clientMsgId }, index) => [clientMsgId, index]));
    // What has not been stored yet was written last.
    const place = ({ clientMsgId }: PendingMessage) => places.get(clientMsgId) ?? all.length;
    pending.set([...pending.getSnapshot(), ...taken].toSorted((a, b) => place(a) - place(b)));
  }

  function workOnAll(): void {
    for (const groupId of new Set(pending.getSnapshot().map((message) => message.groupId)))
      void work(groupId);
  }

  connection.state.subscribe(({ status }) => {
    if (status === 'open') workOnAll();
  });
  tabs.onTold((clientMsgId) => {
    drop(clientMsgId);
    // The other tab may have been faster than this one's store.
    void forget(clientMsgId);
    waiters.get(clientMsgId)?.reject(new ChatProblem({ code: 'CANCELLED' }));
  });

  return {
    pending,
    send(message) {
      if (owner === undefined) throw new Error('Nobody is logged in');
      const { clientMsgId = crypto.randomUUID() } = message;
      const queued: QueuedMessage = { ...message, clientMsgId, userId: owner, queuedAt: Date.now() };
      const waiter = Promise.withResolvers<Sent>();
      // Most callers watch `pending`.
      waiter.promise.catch(() => undefined).finally(() => waiters.delete(clientMsgId));
      waiters.set(clientMsgId, waiter);
      add({ ...queued, status: 'waiting' });
      // It is stored before it is sent, so that no reload in between loses it.
      void keep(queued).then(() => work(message.groupId));
      return { clientMsgId, done: waiter.promise };
    },
    async cancel(clientMsgId) {
      if (!unsent(clientMsgId)) return false;
      return lockMessage(clientMsgId, async () => {
        const message = unsent(clientMsgId);
        if (!message || !(await isStored(message))) return false;
        drop(clientMsgId);
        await forget(clientMsgId);
        waiters.get(clientMsgId)?.reject(new ChatProblem({ code: 'CANCELLED' }));
        tabs.tell(clientMsgId);
        return true;
      });
    },
    retry(clientMsgId) {
      const message = find(clientMsgId);
      if (message?.status !== 'failed') return;
      const { failure: _, ...again } = stored(message);
      drop(clientMsgId);
      add({ ...again, status: 'waiting' });
      void keep(again).then(() => work(message.groupId));
    },
    heard({ clientMsgId, ...sent }) {
      if (!find(clientMsgId)) return;
      drop(clientMsgId);
      void forget(clientMsgId);
      // The answer may have been lost, and nobody asks for it any more.
      waiters.get(clientMsgId)?.resolve({ ...sent, duplicate: false });
    },
    resume(userId) {
      if (owner !== userId) this.release();
      owner = userId;
      if (stopped.signal.aborted) stopped = new AbortController();
      return (resuming = load(userId).then(workOnAll));
    },
    release() {
      owner = undefined;
      empty(noAnswer('The session has ended; what waits is sent in the next one of its user'));
    },
    async discard() {
      if (owner === undefined) return;
      const userId = owner;
      owner = undefined;
      const own = pending.getSnapshot();
      empty(new ChatProblem({ code: 'CANCELLED' }));
      const kept = await store.all(userId).catch(() => []);
      const ids = new Set([...own, ...kept].map(({ clientMsgId }) => clientMsgId));
      for (const clientMsgId of ids) await forget(clientMsgId);
    },
    stop() {
      stopped.abort();
    },
  };
}
