import { type KeyObject, createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import type { Metadata } from '../events/event-store.ts';
import {
  type Open,
  type Seal,
  type TextSeal,
  type Unopened,
  erasedText,
  isSealed,
  personalText,
} from '../events/personal-text.ts';
import { KeyMissing, UnreadableEvent, isKnown } from '../events/stored-events.ts';
import type { Stream } from '../events/streams.ts';
import type { Key, KeyName, KeyRing, Lock } from './key-ring.ts';

const CIPHER = 'aes-256-gcm';
const [NONCE, TAG] = [12, 16];
/** The first byte of sealed text. It tells how the rest is read. */
const SCHEME = 1;
const options = { authTagLength: TAG };

interface Subject {
  type: string;
  data: unknown;
  occurredAt: string;
  metadata: Pick<Metadata, 'actorId'>;
}

interface Rule {
  fields: readonly string[];
  inGroup?: true;
  of: (event: Pick<Subject, 'data' | 'metadata'>) => string | null;
}
const rules: Record<string, Rule | undefined> = personalText as Record<string, never>;

export const personKey = (userId: string): KeyName => `p.${userId}`;
export const monthKey = (groupId: string, month: string): KeyName => `g.${groupId}.${month}`;

/**
 * Returns the lock of an event's text: the key of the person, and for what was said in a group that of the group's month.
 * Without either of them nothing can be read. Undefined for an event of nobody.
 */
function lockOf({ type, data, occurredAt, metadata }: Subject): Lock | undefined {
  const rule = rules[type];
  const person = rule?.of({ data, metadata });
  if (!rule || !person) return undefined;
  if (!rule.inGroup) return personKey(person);
  return `${personKey(person)}+${monthKey((data as { groupId: string }).groupId, occurredAt.slice(0, 7))}`;
}

const hasText = ({ type, data }: Pick<Subject, 'type' | 'data'>): boolean =>
  rules[type]?.fields.some((field) => typeof (data as Record<string, unknown>)[field] === 'string') ?? false;
/** What newer code wrote is not opened: it may have another meaning. */
const hasSealedText = ({ type, v, data }: Pick<Unopened, 'type' | 'v' | 'data'>): boolean =>
  rules[type] !== undefined &&
  rules[type].fields.some((field) => isSealed((data as Record<string, unknown> | null)?.[field])) &&
  isKnown({ type, v });

/**
 * Creates the seal of personal text: AES-256-GCM with the keys of its person and its month. The stream, the event's id
 * and the field are authenticated, so that no text can be moved.
 */
export function createTextSeal(ring: KeyRing): TextSeal {
  const sealed =
    (stream: Stream) =>
    (keys: readonly Key[]): Seal =>
    ({ type, data }, id, n) => {
      const key = keys[n];
      if (key === undefined) return data;
      const stored: Record<string, unknown> = { ...(data as object) };
      for (const field of rules[type]!.fields) {
        const text = stored[field];
        if (typeof text !== 'string') continue;
        // The person is erased: nothing new is kept either.
        stored[field] =
          key === null ? erasedText[field] : { sealed: encrypt(key, text, `${stream}|${id}|${field}`) };
      }
      return stored;
    };

  const opened =
    (locks: readonly (Lock | undefined)[]) =>
    (keys: readonly Key[]): Open =>
    ({ type, data, stream, id }, n) => {
      if (locks[n] === undefined) return data;
      const key = keys[n];
      if (key === undefined) throw new KeyMissing(`one of its keys is missing: ${locks[n]}`);
      const read: Record<string, unknown> = { ...(data as object) };
      for (const field of rules[type]!.fields) {
        const value = read[field];
        if (!isSealed(value)) continue;
        read[field] =
          key === null ? erasedText[field] : decrypt(key, value.sealed, `${stream}|${id}|${field}`);
      }
      return read;
    };

  return {
    sealFor({ stream, occurredAt, metadata, events }) {
      const locks = events.map(({ event: { type, data } }) =>
        hasText({ type, data }) ? lockOf({ type, data, occurredAt, metadata }) : undefined,
      );
      const keys = ring.keys(locks, { make: true });
      return keys instanceof Promise ? keys.then(sealed(stream)) : sealed(stream)(keys);
    },
    openFor(events) {
      const locks = events.map((event) => (hasSealedText(event) ? lockOf(event) : undefined));
      const keys = ring.keys(locks, { make: false });
      return keys instanceof Promise ? keys.then(opened(locks)) : opened(locks)(keys);
    },
  };
}

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

function encrypt(key: KeyObject, text: string, place: string): string {
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

/** Throws `UnreadableEvent` for text that was changed, or sealed for another place. */
function decrypt(key: KeyObject, sealed: string, place: string): string {
  const bytes = Buffer.from(sealed, 'base64url');
  const end = bytes.length - TAG;
  if (bytes[0] !== SCHEME || end < 1 + NONCE)
    throw new UnreadableEvent('its text is sealed in an unknown way');
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(1, 1 + NONCE), options);
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(bytes.subarray(end));
    // Decoding here costs less than in the stream.
    const text = decipher.update(bytes.subarray(1 + NONCE, end));
    decipher.final();
    return text.toString();
  } catch (error) {
    throw new UnreadableEvent(`its text was changed: ${(error as Error).message}`);
  }
}
