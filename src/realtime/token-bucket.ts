import { LRUCache } from 'lru-cache';

export interface Rate {
  perSecond: number;
  burst: number;
}

/** A quota that refills steadily: `perSecond` on average, `burst` at once. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt = performance.now();

  constructor({ perSecond, burst }: Rate) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Takes one; false when there is none. */
  take(): boolean {
    if (this.isEmpty()) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Whether `take` would fail now. */
  isEmpty(): boolean {
    const now = performance.now();
    const refilled = this.#tokens + ((now - this.#filledAt) / 1_000) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, refilled);
    this.#filledAt = now;
    return this.#tokens < 1;
  }
}

/** A bucket for each key. A flood of ever new keys forgets the oldest instead of filling the memory. */
export class TokenBuckets {
  readonly #rate: Rate;
  readonly #byKey = new LRUCache<string, TokenBucket>({ max: 10_000 });

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  take(key: string): boolean {
    const bucket = this.#byKey.get(key) ?? new TokenBucket(this.#rate);
    this.#byKey.set(key, bucket);
    return bucket.take();
  }

  isEmpty(key: string): boolean {
    return this.#byKey.get(key)?.isEmpty() ?? false;
  }
}
