import {
  type KeyObject,
  createCipheriv,
  createDecipheriv,
  createHash,
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

/** Returns the key of this name; null when it is destroyed, undefined when there is none. */
export type Keys = (name: KeyName) => KeyObject | null | undefined;

export interface KeyRing {
  /** Returns, or resolves with, the keys of these names. With `make`, those that do not exist are made. */
  keys(names: readonly KeyName[], options: { make: boolean }): Keys | Promise<Keys>;
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
  const kept = new LRUCache<KeyName, { key: KeyObject | null }>({ max: MOST_KEPT, ttl: KEPT_MS });
  /** Raised when keys are destroyed: what was read before is not kept. */
  let generation = 0;

  function unwrapped(name: KeyName, key: WrappedKey): { key: KeyObject | null } {
    if (key === null) return { key: null };
    const master = masters.find(({ id }) => id === key.masterId);
    if (!master)
      throw new EventStoreUnavailable(
        `the master key ${key.masterId}, with which ${name} is wrapped, is not given`,
      );
    return { key: createSecretKey(unwrap(master, name, key.wrapped)) };
  }

  const find = gather((names: KeyName[]) => stored.find(names));
  const add = gather((names: KeyName[]) =>
    stored.add(new Map(names.map((name) => [name, wrap(present, name, randomBytes(KEY_BYTES))]))),
  );

  async function fetch(
    name: KeyName,
    make: boolean,
  ): Promise<[KeyName, { key: KeyObject | null } | undefined]> {
    const since = generation;
    let found = await find(name);
    if (found === undefined && make) found = await add(name);
    if (found === undefined) return [name, undefined];
    const key = unwrapped(name, found);
    if (since === generation) kept.set(name, key);
    return [name, key];
  }

  async function fetchAll(
    names: Iterable<KeyName>,
    make: boolean,
    known: Map<KeyName, { key: KeyObject | null }>,
  ): Promise<Keys> {
    const missing = [...names].filter((name) => !known.has(name));
    try {
      const fetched = await Promise.all(missing.map((name) => fetch(name, make)));
      for (const [name, key] of fetched) if (key) known.set(name, key);
    } catch (error) {
      if (error instanceof EventStoreUnavailable) throw error;
      throw new EventStoreUnavailable('the keys of personal text are out of reach', { cause: error });
    }
    return (name) => known.get(name)?.key;
  }

  return {
    keys(names, { make }) {
      const known = new Map<KeyName, { key: KeyObject | null }>();
      const wanted = new Set(names);
      for (const name of wanted) {
        const key = kept.get(name);
        if (key) known.set(name, key);
      }
      return known.size === wanted.size ? (name) => known.get(name)?.key : fetchAll(wanted, make, known);
    },
    async destroy(names) {
      await stored.destroy(names);
      generation += 1;
      for (const name of names) kept.delete(name);
    },
  };
}
