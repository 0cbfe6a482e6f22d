import type { KeyObject } from 'node:crypto';
import { EventStoreUnavailable, type Metadata } from '../events/event-store.ts';
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
import { decrypt, encrypt } from './sealed-text.ts';
import { createTextOpener } from './text-opener.ts';

/** A page with this many sealed texts is opened in a thread. */
const PAGE = 200;

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

interface SealedField {
  field: string;
  sealed: string;
  /** What it was sealed for. */
  place: string;
}
const sealedFields = ({ type, data, stream, id }: Unopened): SealedField[] =>
  rules[type]!.fields.flatMap((field) => {
    const value = (data as Record<string, unknown>)[field];
    return isSealed(value) ? { field, sealed: value.sealed, place: `${stream}|${id}|${field}` } : [];
  });

/** Returns what an event's sealed fields contain; null in place of text that was changed. */
type TextsOf = (fields: SealedField[], key: KeyObject, n: number) => readonly (string | null)[];
const openHere: TextsOf = (fields, key) => fields.map(({ sealed, place }) => decrypt(key, sealed, place));

/**
 * Creates the seal of personal text: AES-256-GCM with the keys of its person and its month. The stream, the event's id
 * and the field are authenticated, so that no text can be moved.
 */
export function createTextSeal(ring: KeyRing): TextSeal {
  const opener = createTextOpener();

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
    (locks: readonly (Lock | undefined)[], keys: readonly Key[], textsOf: TextsOf): Open =>
    (event, n) => {
      if (locks[n] === undefined) return event.data;
      const key = keys[n];
      if (key === undefined) throw new KeyMissing(`one of its keys is missing: ${locks[n]}`);
      const fields = sealedFields(event);
      const texts = key && textsOf(fields, key, n);
      const read: Record<string, unknown> = { ...(event.data as object) };
      for (const [index, { field }] of fields.entries()) {
        const text = texts ? texts[index]! : erasedText[field];
        if (texts && text === null) throw new UnreadableEvent('its text was changed, or belongs elsewhere');
        read[field] = text;
      }
      return read;
    };

  /** Resolves with the texts of a page of events, opened while the event loop goes on. */
  async function openAside(events: readonly Unopened[], keys: readonly Key[]): Promise<TextsOf> {
    const ends: number[] = [];
    const toOpen = [];
    for (const [n, event] of events.entries()) {
      const key = keys[n];
      if (key) for (const { sealed, place } of sealedFields(event)) toOpen.push({ key, sealed, place });
      ends.push(toOpen.length);
    }
    const texts = await opener.open(toOpen).catch((cause: unknown) => {
      throw new EventStoreUnavailable('sealed text cannot be opened', { cause });
    });
    return (fields, _, n) => texts.slice(ends[n]! - fields.length, ends[n]);
  }

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
      const isPage = locks.filter((lock) => lock !== undefined).length >= PAGE;
      if (!isPage && !(keys instanceof Promise)) return opened(locks, keys, openHere);
      return Promise.resolve(keys).then(async (fetched) =>
        opened(locks, fetched, isPage ? await openAside(events, fetched) : openHere),
      );
    },
  };
}
