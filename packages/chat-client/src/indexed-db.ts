import { openDB } from 'idb';
import { type OutboxStore, type QueuedMessage, memoryOutbox } from './outbox.ts';
import { inTime } from './waiting.ts';

const OPEN_MS = 3_000;

/** Returns the outbox of a browser, which all tabs of an origin share; one in memory where there is no IndexedDB. */
export function usualOutbox(): OutboxStore {
  if (typeof indexedDB === 'undefined') return memoryOutbox();
  const opened = openDB('chat-outbox', 1, {
    upgrade(database) {
      // The keys count up: they are the order.
      const messages = database.createObjectStore('messages', { autoIncrement: true });
      messages.createIndex('clientMsgId', 'clientMsgId', { unique: true });
      messages.createIndex('userId', 'userId');
    },
    // A page of a later version must not wait for this one, which then keeps messages in memory.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
  // Some browsers never open it. Messages do not wait for that.
  const opening = inTime(opened, OPEN_MS);
  // Whoever uses it is told.
  opening.catch(() => undefined);
  const change = async () => (await opening).transaction('messages', 'readwrite');
  const journal = createJournal();

  return {
    async all(userId) {
      const { store, done } = await change();
      const left = journal.read();
      for (const { message } of left)
        await store.put(message, await store.index('clientMsgId').getKey(message.clientMsgId));
      const [messages] = await Promise.all([store.index('userId').getAll(userId), done]);
      for (const { key } of left) journal.drop(key);
      return messages as QueuedMessage[];
    },
    async put(message) {
      const written = journal.write(message);
      try {
        const { store, done } = await change();
        const key = await store.index('clientMsgId').getKey(message.clientMsgId);
        await Promise.all([store.put(message, key), done]);
      } finally {
        journal.drop(written);
      }
    },
    async remove(clientMsgId) {
      const { store, done } = await change();
      const key = await store.index('clientMsgId').getKey(clientMsgId);
      await Promise.all([key !== undefined && store.delete(key), done]);
    },
  };
}

/**
 * Keeps messages until IndexedDB has them. A page that is left aborts what IndexedDB has not done, and
 * `localStorage` writes at once. Where it is denied or full, there is no journal.
 */
function createJournal() {
  const prefix = 'chat-outbox ';
  const page = prefix + crypto.randomUUID();
  let count = 0;
  const attempt = <T>(work: () => T, otherwise: T): T => {
    try {
      return work();
    } catch {
      return otherwise;
    }
  };
  return {
    /** Returns the key of the entry. The keys of a page sort by the order in which they were written. */
    write(message: QueuedMessage): string {
      const key = `${page} ${String((count += 1)).padStart(9, '0')}`;
      attempt(() => localStorage.setItem(key, JSON.stringify(message)), undefined);
      return key;
    },
    drop: (key: string) => attempt(() => localStorage.removeItem(key), undefined),
    /** Returns the entries of all pages. What is no message under the prefix is not of this program, and stays. */
    read: () =>
      attempt(() => Object.keys(localStorage), [])
        .filter((key) => key.startsWith(prefix))
        .toSorted()
        .flatMap((key) => {
          // Another page may have dropped it meanwhile.
          const message: unknown = attempt(() => JSON.parse(localStorage.getItem(key)!), undefined);
          return isQueued(message) ? [{ key, message }] : [];
        }),
  };
}

const isText = (value: unknown): boolean => typeof value === 'string';

function isQueued(value: unknown): value is QueuedMessage {
  if (typeof value !== 'object' || value === null) return false;
  const { clientMsgId, userId, groupId, queuedAt, text, fileIds, replyTo, failure } = value as Record<
    keyof QueuedMessage,
    unknown
  >;
  return (
    [clientMsgId, userId, groupId].every(isText) &&
    typeof queuedAt === 'number' &&
    [text ?? '', replyTo ?? '', failure ?? ''].every(isText) &&
    (fileIds === undefined || (Array.isArray(fileIds) && fileIds.every(isText)))
  );
}
