import { randomBytes } from 'node:crypto';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { createSemaphore } from '../../kit/semaphore.ts';
import { PasswordQueueFull } from '../credentials.ts';

/** OWASP Password Storage Cheat Sheet, argon2id (the library's default): 19 MiB, two passes, one lane. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/**
 * Each hash takes a core and 19 MiB for some tens of milliseconds. A few run, some wait, and the rest are
 * refused.
 */
const MAX_RUNNING = 2;
const MAX_WAITING = 100;

/** Makes and checks password hashes, a few at a time. */
export interface PasswordHashes {
  /** Runs `work`, which hashes, when its turn comes. Throws `PasswordQueueFull` when too many wait already. */
  limited<T>(work: () => Promise<T>): Promise<T>;
  /** Call it inside `limited`. Hashes the password in NFC, so that the keyboard does not matter. */
  hash(password: string): Promise<string>;
  /**
   * Call it inside `limited`. Without a hash it resolves with `wrong`, at the same cost. `outdated` means
   * that the password is right, but that the hash was made at another cost, or of the password as typed
   * instead of its NFC.
   */
  verify(password: string, passwordHash: string | undefined): Promise<'wrong' | 'right' | 'outdated'>;
}

function isOfToday(passwordHash: string): boolean {
  const { memoryCost, timeCost, parallelism } = parseOptions(passwordHash);
  return memoryCost === COST.memoryCost && timeCost === COST.timeCost && parallelism === COST.parallelism;
}

export async function createPasswordHashes({
  maxRunning = MAX_RUNNING,
  maxWaiting = MAX_WAITING,
} = {}): Promise<PasswordHashes> {
  const decoyHash = await hash(randomBytes(32), COST);
  const places = createSemaphore(maxRunning);

  return {
    async limited(work) {
      if (places.isFull() && places.waiting() >= maxWaiting)
        throw new PasswordQueueFull('too many passwords wait to be checked');
      return places.run(work);
    },
    hash: (password) => hash(password.normalize('NFC'), COST),
    async verify(password, passwordHash) {
      const known = passwordHash ?? decoyHash;
      const composed = password.normalize('NFC');
      if (await verify(known, composed)) {
        if (passwordHash === undefined) return 'wrong';
        return isOfToday(passwordHash) ? 'right' : 'outdated';
      }
      const matchesAsTyped = composed !== password && (await verify(known, password));
      return matchesAsTyped && passwordHash !== undefined ? 'outdated' : 'wrong';
    },
  };
}
