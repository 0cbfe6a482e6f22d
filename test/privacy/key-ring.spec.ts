import { randomBytes } from 'node:crypto';
import { EventStoreUnavailable } from '../../src/events/event-store.ts';
import {
  type Key,
  type Lock,
  type MasterKey,
  type TextKeys,
  createKeyRing,
  masterKeyOf,
  unwrap,
  wrap,
} from '../../src/privacy/key-ring.ts';
import { monthKey, personKey } from '../../src/privacy/text-seal.ts';
import { textKeysInMemory } from '../support/language/text-keys.ts';

const ada = personKey('0197a000-0000-7000-8000-00000000000a');
const bob = personKey('0197a000-0000-7000-8000-00000000000b');
const november = monthKey('0197a000-0000-7000-8000-00000000000c', '2026-11');
const december = monthKey('0197a000-0000-7000-8000-00000000000c', '2026-12');
const [first, second] = [masterKeyOf(Buffer.alloc(32, 1)), masterKeyOf(Buffer.alloc(32, 2))];

const exported = (keys: readonly Key[]) => keys.map((key) => key && key.export().toString('hex'));

describe('a key ring', () => {
  const open = (stored: TextKeys, ...masters: [MasterKey, ...MasterKey[]]) =>
    createKeyRing({ stored, masters });

  test('makes a key once, and gives the same to another process', async () => {
    const { stored } = textKeysInMemory();
    const locks: Lock[] = [ada, `${ada}+${november}`, bob, ada];
    const made = exported(await open(stored, first).keys(locks, { make: true }));
    expect(new Set(made).size).toBe(3);
    expect(made[3]).toBe(made[0]);
    expect(exported(await open(stored, first).keys(locks, { make: false }))).toEqual(made);
  });

  test('has another key for each person and for each month', async () => {
    const { stored } = textKeysInMemory();
    const locks: Lock[] = [ada, `${ada}+${november}`, `${ada}+${december}`, `${bob}+${november}`];
    const keys = exported(await open(stored, first).keys(locks, { make: true }));
    expect(new Set(keys).size).toBe(4);
  });

  test('gives keys at hand without a turn of the event loop, and asks once for many', async () => {
    const { stored, calls } = textKeysInMemory();
    const ring = open(stored, first);
    await ring.keys([ada, bob, `${ada}+${november}`, undefined, ada], { make: true });
    expect(calls).toEqual(['find 3', 'add 3']);
    expect(ring.keys([ada, undefined, bob], { make: false })).not.toBeInstanceOf(Promise);
    expect(calls).toHaveLength(2);
  });

  test('makes nothing for a reader', async () => {
    const { stored, rows } = textKeysInMemory();
    expect(await open(stored, first).keys([ada], { make: false })).toEqual([undefined]);
    expect(rows.size).toBe(0);
  });

  test('gives no key of a lock once one of its keys is destroyed, and makes no new one', async () => {
    const { stored } = textKeysInMemory();
    const ring = open(stored, first);
    const locks: Lock[] = [ada, `${ada}+${november}`, `${bob}+${november}`];
    await ring.keys(locks, { make: true });
    await ring.destroy([ada]);
    const [gone, alsoGone, stays] = await ring.keys(locks, { make: true });
    expect([gone, alsoGone]).toEqual([null, null]);
    expect(stays).toBeTruthy();
    await ring.destroy([december]);
    expect(await ring.keys([`${bob}+${december}`], { make: true })).toEqual([null]);
  });

  test('reads keys under an earlier master key, and wraps new ones with the present one', async () => {
    const { stored, rows } = textKeysInMemory();
    const before = exported(await open(stored, first).keys([ada], { make: true }));
    const rotated = open(stored, second, first);
    expect(exported(await rotated.keys([ada], { make: false }))).toEqual(before);
    await rotated.keys([bob], { make: true });
    expect(rows.get(bob)!.masterId).toBe(second.id);
  });

  test('refuses keys of a master key that it was not given', async () => {
    const { stored } = textKeysInMemory();
    await open(stored, first).keys([ada], { make: true });
    await expect(open(stored, second).keys([ada], { make: false })).rejects.toThrow(
      `the master key ${first.id}, with which ${ada} is wrapped, is not given`,
    );
  });

  test('is unavailable while the stored keys are, for every text that waits, and recovers', async () => {
    const { stored, fail } = textKeysInMemory();
    const ring = open(stored, first);
    fail(new Error('connection refused'));
    const asked = [ada, bob, `${ada}+${november}`] as Lock[];
    await expect(ring.keys(asked, { make: true })).rejects.toThrow(EventStoreUnavailable);
    fail();
    expect(exported(await ring.keys(asked, { make: true }))).not.toContain(undefined);
  });
});

describe('a wrapped key', () => {
  test('opens for its name and its master key alone', () => {
    const bytes = randomBytes(32);
    const { wrapped } = wrap(first, ada, bytes);
    expect(unwrap(first, ada, wrapped)).toEqual(bytes);
    expect(() => unwrap(first, bob, wrapped)).toThrow();
    expect(() => unwrap(second, ada, wrapped)).toThrow();
    wrapped[20]! ^= 1;
    expect(() => unwrap(first, ada, wrapped)).toThrow();
  });
});
