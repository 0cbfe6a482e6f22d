import { type KeyObject, createSecretKey } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { decrypt } from './sealed-text.ts';
import { KEY_BYTES, type Page } from './text-opener.ts';

parentPort!.on('message', ({ keys, keyOf, sealed, places }: Page) => {
  // Decrypting with bytes in place of a key object takes three times as long.
  const opened: KeyObject[] = [];
  for (let at = 0; at < keys.length; at += KEY_BYTES)
    opened.push(createSecretKey(keys.subarray(at, at + KEY_BYTES)));
  const texts = sealed.map((text, n) => decrypt(opened[keyOf[n]!]!, text, places[n]!));
  parentPort!.postMessage(texts);
});
