import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { UserId } from '../../events/ids.ts';

/** Writes secrets in a form in which they may be stored. The key of it is no part of their table. */
export interface SealedSecrets {
  /** Encrypts the secret of a user with AES-256-GCM. Another user's row cannot use the result. */
  seal(userId: UserId, secret: string): Buffer;
  /** Throws when `sealed` was changed, or made for another user or with another key. */
  open(userId: UserId, sealed: Buffer): string;
  /** Returns the keyed hash of a code of the user: HMAC-SHA-256. */
  hashOf(userId: UserId, code: string): Buffer;
}

const CIPHER = 'aes-256-gcm';
/** A nonce is drawn for each secret, and there are far fewer than 2^32 (NIST SP 800-38D §8.3). */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/** Creates the sealing of secrets under one server secret of at least 32 bytes. */
export function createSealedSecrets(serverSecret: Buffer): SealedSecrets {
  const derive = (purpose: string) =>
    Buffer.from(hkdfSync('sha256', serverSecret, Buffer.alloc(0), purpose, KEY_BYTES));
  const cipherKey = derive('second factor: secrets');
  const hashKey = derive('second factor: recovery codes');
  const options = { authTagLength: TAG_BYTES };

  return {
    seal(userId, secret) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, cipherKey, nonce, options).setAAD(Buffer.from(userId));
      const content = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), content]);
    },
    open(userId, sealed) {
      const content = NONCE_BYTES + TAG_BYTES;
      const decipher = createDecipheriv(CIPHER, cipherKey, sealed.subarray(0, NONCE_BYTES), options)
        .setAAD(Buffer.from(userId))
        .setAuthTag(sealed.subarray(NONCE_BYTES, content));
      return decipher.update(sealed.subarray(content), undefined, 'utf8') + decipher.final('utf8');
    },
    hashOf: (userId, code) =>
      createHmac('sha256', hashKey)
        .update(JSON.stringify([userId, code]))
        .digest(),
  };
}
