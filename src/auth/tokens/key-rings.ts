import type { Logger } from 'pino';
import { sleep } from '../../kit/back-off.ts';

/** A version of a key that is kept in the store. */
export interface StoredKey {
  version: number;
  /** The private key or the secret, as text. */
  key: string;
  /** Time until it signs; 0 or less when it does, or did. */
  signsInMs: number;
  /** Time until nothing that it signed is valid any more; null while no later version exists. */
  retiresInMs: number | null;
}

/** How a new version takes the place of the others. */
export interface Replacement {
  /** Time in which all that check have to learn of it, before it signs. */
  leadSeconds: number;
  /** Lifetime of what the key signs: the old one is accepted for that long after the new one has begun to sign. */
  lifetimeSeconds: number;
}

/** The port of the keys that all processes share. Times are those of the store's clock. */
export interface KeyStore {
  /** Resolves with the first version of a key that is not replaced, and stores `make()` if there is none yet. */
  keep(name: string, make: () => string): Promise<string>;
  /** Resolves with all versions, in the order in which they were made; retired ones until they are deleted. */
  versions(name: string): Promise<StoredKey[]>;
  /**
   * Adds the version after `last`, the number of the latest one; the first one, after 0, signs at once. Resolves with
   * false when another process was faster.
   */
  add(name: string, key: string, last: number, replacement: Replacement): Promise<boolean>;
  /** Adds a version that signs at once, and deletes all others. */
  replaceAll(name: string, key: string): Promise<void>;
  /** The versions sign nothing more, and retire after the time. */
  retire(name: string, seconds: number): Promise<void>;
}

/** The versions of one key as a process knows them. They follow the store by themselves. */
export interface KeyRing<K> {
  /**
   * Returns what is accepted now, the version that signs first: the next ones as well, with which others may sign before
   * this process does. Empty when the store has none.
   */
  accepted(): readonly K[];
  /** Reads the store, unless that was done a moment ago. Never rejects. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

const POLL_MS = 2_000;
/** Whoever presents unknown keys causes no more reading than this. */
const LOOK_EVERY_MS = 1_000;

interface Held<K> {
  key: K;
  version: number;
  /** In ms since 1970, by the clock of this process. */
  signsAt: number;
  retiresAt: number;
}

/** Opens a ring. Resolves once it has read the store. `parse` is called once for each version. */
export async function openKeyRing<K>({
  name,
  store,
  parse,
  log,
  pollMs = POLL_MS,
  now = Date.now,
}: {
  name: string;
  store: Pick<KeyStore, 'versions'>;
  parse: (text: string) => K | Promise<K>;
  log: Logger;
  pollMs?: number;
  now?: () => number;
}): Promise<KeyRing<K>> {
  const stopping = new AbortController();
  let held: readonly Held<K>[] = [];
  let reading: Promise<void> | undefined;
  let lookedAt = -Infinity;

  async function read(): Promise<void> {
    const asked = now();
    const versions = await store.versions(name);
    const known = new Map(held.map((each) => [each.version, each.key]));
    const next = await Promise.all(
      versions.map(async ({ version, key, signsInMs, retiresInMs }) => ({
        version,
        key: known.get(version) ?? (await parse(key)),
        signsAt: asked + signsInMs,
        retiresAt: retiresInMs === null ? Infinity : asked + retiresInMs,
      })),
    );
    if (held.length > 0 && next.map(({ version }) => version).join() !== [...known.keys()].join())
      log.info({ key: name, versions: next.map(({ version }) => version) }, 'the versions of a key changed');
    held = next;
  }

  const readOnce = (): Promise<void> => (reading ??= read().finally(() => (reading = undefined)));
  const warn = (err: unknown) =>
    log.warn({ err, key: name }, 'could not read the versions of a key; the known ones stay in use');

  async function follow(): Promise<void> {
    for (;;) {
      await sleep(pollMs, stopping.signal);
      if (stopping.signal.aborted) return;
      await readOnce().catch(warn);
    }
  }

  await readOnce();
  const following = follow();

  return {
    accepted() {
      const at = now();
      const all = held.filter(({ retiresAt }) => retiresAt > at);
      // The latest that signs already, or else the first that will.
      const present = all.findLast(({ signsAt }) => signsAt <= at) ?? all[0];
      return present ? [present.key, ...all.filter((each) => each !== present).map(({ key }) => key)] : [];
    },
    async look() {
      if (performance.now() - lookedAt < LOOK_EVERY_MS) return reading?.catch(() => {});
      lookedAt = performance.now();
      await readOnce().catch(warn);
    },
    async stop() {
      stopping.abort();
      await following;
    },
  };
}
