import type { KeyName, TextKeys, WrappedKey } from '../../../src/privacy/key-ring.ts';

/** Stored keys in memory, and how often they were asked. */
export function textKeysInMemory() {
  const rows = new Map<KeyName, WrappedKey>();
  const calls: string[] = [];
  let failure: Error | undefined;
  const some = (names: Iterable<KeyName>) =>
    new Map([...names].flatMap((name) => (rows.has(name) ? [[name, rows.get(name)!] as const] : [])));
  const stored: TextKeys = {
    async find(names) {
      calls.push(`find ${names.length}`);
      if (failure) throw failure;
      return some(names);
    },
    async add(keys) {
      calls.push(`add ${keys.size}`);
      for (const [name, key] of keys) if (!rows.has(name)) rows.set(name, key);
      return some(keys.keys());
    },
    async destroy(names) {
      for (const name of names) rows.set(name, null);
    },
  };
  return { rows, calls, stored, fail: (error?: Error) => (failure = error) };
}
