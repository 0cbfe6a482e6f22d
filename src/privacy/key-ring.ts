import {
  type KeyObject,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  randomBytes,
} from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { EventStoreUnavailable } from '../events/event-store.ts';
import { gather } from '../kit/gather.ts';

/** `p.<userId>` for a person, `g.<groupId>.<YYYY-MM>` for what was said in a group in a month. */
export type KeyName = `p.${string}` | `g.${string}.${string}`;

/** A key as it is stored: encrypted with the master key of this id; null once it is destroyed. */
export type WrappedKey = { masterId: string; wrapped: Buffer } | null;

/** The port of the stored keys. */
export interface TextKeys {
  /** Resolves with those of the keys that exist. */
  find(names: readonly KeyName[]): Promise<Map<KeyName, WrappedKey>>;
  /** Stores new keys, and resolves with all of them once that is final. Those that exist stay as they are. */
  add(keys: ReadonlyMap<KeyName, NonNullable<WrappedKey>>): Promise<Map<KeyName, WrappedKey>>;
  /** Destroys keys for good, also those that do not exist yet: they are never made. */
  destroy(names: readonly KeyName[]): Promise<void>;
}

/** The port for a new master key. */
export interface RewrappableKeys {
  /** Resolves with keys that are wrapped with another master key, at most `limit`. */
  underOthers(masterId: string, limit: number): Promise<Map<KeyName, NonNullable<WrappedKey>>>;
  /** Replaces keys that still exist. Resolves with their number. */
  replace(keys: ReadonlyMap<KeyName, NonNullable<WrappedKey>>): Promise<number>;
}

/** What a text is sealed with: the key of a person, or that and the key of a month. */
export type Lock = KeyName | `${KeyName}+${KeyName}`;
/** Null once one of its keys is destroyed; undefined when one of them does not exist. */
export type Key = KeyObject | null | undefined;

export interface KeyRing {
  /**
   * Returns, or resolves with, the key of each of these locks; undefined where there is no lock. With `make`, keys that do
   * not exist are made.
   */
  keys(locks: readonly (Lock | undefined)[], options: { make: boolean }): Key[] | Promise<Key[]>;
  /** Destroys keys. Other processes notice within a minute. */
  destroy(names: readonly KeyName[]): Promise<void>;
}

/** The key that wraps the others. `id` derives from it. */
export interface MasterKey {
  id: string;
  key: KeyObject;
}

/** Creates a master key from its 32 bytes. */
export const masterKeyOf = (bytes: Buffer): MasterKey => ({
  id: createHash('sha256').update('master key').update(bytes).digest('base64url').slice(0, 11),
  key: createSecretKey(bytes),
});

const [NONCE, TAG] = [12, 16];

/** Encrypts a key with the master key, for this name alone. */
export function wrap({ id, key }: MasterKey, name: KeyName, bytes: Buffer): NonNullable<WrappedKey> {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG }).setAAD(Buffer.from(name));
  const wrapped = Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  return { masterId: id, wrapped };
}

/** Decrypts a key. Throws when it was wrapped for another name, or with another master key. */
export function unwrap({ key }: MasterKey, name: KeyName, wrapped: Buffer): Buffer {
  const end = wrapped.length - TAG;
  const decipher = createDecipheriv('aes-256-gcm', key, wrapped.subarray(0, NONCE), { authTagLength: TAG });
  decipher.setAAD(Buffer.from(name)).setAuthTag(wrapped.subarray(end));
  return Buffer.concat([decipher.update(wrapped.subarray(NONCE, end)), decipher.final()]);
}

const MOST_KEPT = 100_000;
/** Time after which another process' erasure is noticed here. */
const KEPT_MS = 60_000;
const KEY_BYTES = 32;

const REWRAPPED = 1_000;

/**
 * Wraps all keys with the present master key, so that the earlier ones can be taken away. Resolves with the number of
 * those that changed. Safe to repeat, and while servers run.
 */
export async function rewrapKeys(
  stored: RewrappableKeys,
  [present, ...earlier]: readonly [MasterKey, ...MasterKey[]],
): Promise<number> {
  let rewrapped = 0;
  for (;;) {
    const found = await stored.underOthers(present.id, REWRAPPED);
    if (found.size === 0) return rewrapped;
    const renewed = new Map<KeyName, NonNullable<WrappedKey>>();
    for (const [name, { masterId, wrapped }] of found) {
      const master = earlier.find(({ id }) => id === masterId);
      if (!master) throw new Error(`the master key ${masterId}, with which ${name} is wrapped, is not given`);
      renewed.set(name, wrap(present, name, unwrap(master, name, wrapped)));
    }
    rewrapped += await stored.replace(renewed);
  }
}

/** Returns the key of a lock, given its unwrapped parts. */
const combine = ([person, month]: readonly Buffer[]): KeyObject =>
  createSecretKey(month ? createHmac('sha256', person!).update(month).digest() : person!);

/**
 * Creates a ring: the keys in use, in memory for a minute at most. `masters` are the master keys by which stored keys may
 * be wrapped, the present one first.
 */
export function createKeyRing({
  stored,
  masters,
}: {
  stored: TextKeys;
  masters: readonly [MasterKey, ...MasterKey[]];
}): KeyRing {
  const [present] = masters;
  const kept = new LRUCache<Lock, { key: KeyObject | null; readAt: number }>({ max: MOST_KEPT });
  /** Raised when keys are destroyed: what was read before is not kept. */
  let generation = 0;

  /** Resolves with the bytes of a key; null when it is destroyed, undefined when there is none. */
  async function fetch(name: KeyName, make: boolean): Promise<Buffer | null | undefined> {
    let found = await find(name);
    if (found === undefined && make) found = await add(name);
    if (!found) return found;
    const { masterId, wrapped } = found;
    const master = masters.find(({ id }) => id === masterId);
    if (!master)
      throw new EventStoreUnavailable(
        `the master key ${masterId}, with which ${name} is wrapped, is not given`,
      );
    return unwrap(master, name, wrapped);
  }
  const find = gather((names: KeyName[]) => stored.find(names));
  const add = gather((names: KeyName[]) =>
    stored.add(new Map(names.map((name) => [name, wrap(present, name, randomBytes(KEY_BYTES))]))),
  );

  async function open(lock: Lock, make: boolean): Promise<Key> {
    const since = generation;
    const readAt = performance.now();
    const parts = await Promise.all(lock.split('+').map((name) => fetch(name as KeyName, make)));
    if (parts.includes(undefined)) return undefined;
    const key = parts.includes(null) ? null : combine(parts as Buffer[]);
    if (since === generation) kept.set(lock, { key, readAt });
    return key;
  }

  async function openAll(
    locks: readonly (Lock | undefined)[],
    keys: Key[],
    missing: readonly number[],
    make: boolean,
  ): Promise<Key[]> {
    try {
      const wanted = [...new Set(missing.map((n) => locks[n]!))];
      const opened = await Promise.all(wanted.map((lock) => open(lock, make)));
      const found = new Map(wanted.map((lock, index) => [lock, opened[index]]));
      for (const n of missing) keys[n] = found.get(locks[n]!);
      return keys;
    } catch (error) {
      if (error instanceof EventStoreUnavailable) throw error;
      throw new EventStoreUnavailable('the keys of personal text are out of reach', { cause: error });
    }
  }

  return {
    keys(locks, { make }) {
      const keys: Key[] = new Array<Key>(locks.length);
      const missing: number[] = [];
      const since = performance.now() - KEPT_MS;
      for (let n = 0; n < locks.length; n += 1) {
        const lock = locks[n];
        if (lock === undefined) continue;
        const known = kept.get(lock);
        if (known && known.readAt > since) keys[n] = known.key;
        else missing.push(n);
      }
      return missing.length === 0 ? keys : openAll(locks, keys, missing, make);
    },
    async destroy(names) {
      await stored.destroy(names);
      generation += 1;
      kept.clear();
    },
  };
}
