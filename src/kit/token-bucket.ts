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

  /**
   * Takes `tokens`. May leave a debt; nothing more can be taken until it is refilled. Returns false, and
   * takes nothing, when the bucket is empty.
   */
  take(tokens = 1): boolean {
    if (this.isEmpty()) return false;
    this.#tokens -= tokens;
    return true;
  }

  /** Returns true if `take` would fail now. */
  isEmpty(): boolean {
    return this.emptyMs() > 0;
  }

  /** Returns how long the bucket stays empty, in milliseconds; 0 when it is not empty. */
  emptyMs(): number {
    const now = performance.now();
    const refilled = this.#tokens + ((now - this.#filledAt) / 1_000) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, refilled);
    this.#filledAt = now;
    return Math.max(0, ((1 - this.#tokens) / this.#perSecond) * 1_000);
  }
}

/** A bucket for each key. A flood of new keys evicts the oldest instead of filling the memory. */
export class TokenBuckets {
  readonly #rate: Rate;
  readonly #byKey = new LRUCache<string, TokenBucket>({ max: 10_000 });

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  take(key: string, tokens = 1): boolean {
    const bucket = this.#byKey.get(key) ?? new TokenBucket(this.#rate);
    this.#byKey.set(key, bucket);
    return bucket.take(tokens);
  }

  isEmpty(key: string): boolean {
    return this.emptyMs(key) > 0;
  }

  emptyMs(key: string): number {
    return this.#byKey.get(key)?.emptyMs() ?? 0;
  }
}
