import type { KeyObject } from 'node:crypto';
import { Worker } from 'node:worker_threads';

/** A sealed text, its key, and the place that it was sealed for. */
export interface ToOpen {
  key: KeyObject;
  sealed: string;
  place: string;
}

/** Opens many texts beside the event loop. */
export interface TextOpener {
  /**
   * Resolves with the texts in the same order; null in place of one that was changed. Rejects when the thread fails, which
   * the next call starts again.
   */
  open(texts: readonly ToOpen[]): Promise<(string | null)[]>;
}

/** What the thread gets. */
export interface Page {
  /** All keys, one after the other. */
  keys: Uint8Array;
  /** The index of each text's key. */
  keyOf: Uint32Array;
  sealed: string[];
  places: string[];
}

export const KEY_BYTES = 32;
/** The thread ends after this time without work, and with it the keys in its memory. */
const IDLE_MS = 10_000;

/** Creates an opener. Its thread starts when there is work, and does not keep the process running. */
export function createTextOpener(): TextOpener {
  let thread: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  const waiting: PromiseWithResolvers<(string | null)[]>[] = [];

  function start(): Worker {
    const started = new Worker(new URL('./open-texts-thread.ts', import.meta.url));
    started.on('message', (texts: (string | null)[]) => {
      waiting.shift()!.resolve(texts);
      if (waiting.length > 0) return;
      started.unref();
      idle = setTimeout(() => {
        thread = undefined;
        void started.terminate();
      }, IDLE_MS).unref();
    });
    started.on('error', (error) => {
      thread = undefined;
      for (const { reject } of waiting.splice(0)) reject(error);
    });
    return started;
  }

  return {
    open(texts) {
      clearTimeout(idle);
      thread ??= start();
      thread.ref();
      const answer = Promise.withResolvers<(string | null)[]>();
      waiting.push(answer);
      thread.postMessage(toPage(texts));
      return answer.promise;
    },
  };
}

function toPage(texts: readonly ToOpen[]): Page {
  const indexes = new Map<KeyObject, number>();
  const keyOf = new Uint32Array(texts.length);
  for (const [n, { key }] of texts.entries()) {
    let index = indexes.get(key);
    if (index === undefined) indexes.set(key, (index = indexes.size));
    keyOf[n] = index;
  }
  const keys = new Uint8Array(indexes.size * KEY_BYTES);
  for (const [key, index] of indexes) keys.set(key.export(), index * KEY_BYTES);
  return {
    ...{ keys, keyOf },
    sealed: texts.map(({ sealed }) => sealed),
    places: texts.map(({ place }) => place),
  };
}
