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

  return {
    all: async (userId) =>
      (await (await opening).getAllFromIndex('messages', 'userId', userId)) as QueuedMessage[],
    async put(message) {
      const { store, done } = (await opening).transaction('messages', 'readwrite');
      const key = await store.index('clientMsgId').getKey(message.clientMsgId);
      await Promise.all([store.put(message, key), done]);
    },
    async remove(clientMsgId) {
      const { store, done } = (await opening).transaction('messages', 'readwrite');
      const key = await store.index('clientMsgId').getKey(clientMsgId);
      await Promise.all([key !== undefined && store.delete(key), done]);
    },
  };
}
