import { type KeyObject, createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const [NONCE, TAG] = [12, 16];
/** The first byte of sealed text. It tells how the rest is read. */
const SCHEME = 1;
const options = { authTagLength: TAG };

/** Random bytes are drawn for many nonces at a time, which costs a tenth. */
const nonces = Buffer.alloc(NONCE * 1_024);
let nextNonce = nonces.length;
function nonce(): Buffer {
  if (nextNonce === nonces.length) {
    randomFillSync(nonces);
    nextNonce = 0;
  }
  return nonces.subarray(nextNonce, (nextNonce += NONCE));
}

/** Returns the text sealed in base64url. It can be opened with this key at this place only. */
export function encrypt(key: KeyObject, text: string, place: string): string {
  const iv = nonce();
  const cipher = createCipheriv(CIPHER, key, iv, options);
  cipher.setAAD(Buffer.from(place));
  const body = cipher.update(text, 'utf8');
  cipher.final();
  const sealed = Buffer.allocUnsafe(1 + NONCE + body.length + TAG);
  sealed[0] = SCHEME;
  iv.copy(sealed, 1);
  body.copy(sealed, 1 + NONCE);
  cipher.getAuthTag().copy(sealed, 1 + NONCE + body.length);
  return sealed.toString('base64url');
}

/** Returns the text; null when it was changed, or sealed with another key or for another place. */
export function decrypt(key: KeyObject, sealed: string, place: string): string | null {
  const bytes = Buffer.from(sealed, 'base64url');
  const end = bytes.length - TAG;
  if (bytes[0] !== SCHEME || end < 1 + NONCE) return null;
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(1, 1 + NONCE), options);
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(bytes.subarray(end));
    // Decoding here costs less than in the stream.
    const text = decipher.update(bytes.subarray(1 + NONCE, end));
    decipher.final();
    return text.toString();
  } catch {
    return null;
  }
}
