import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { type Bucket, type Quota, RateLimited, type RateLimits } from '../auth/rate-limits.ts';

const WINDOW_SECONDS = 60;
/** A flood from ever new addresses forgets the oldest counters instead of filling the memory. */
const MAX_KEYS = 100_000;

/** Counters of this process alone: fixed windows of one minute, each started by its key's first use. */
export function createMemoryRateLimits(limits: {
  messagesPerMinute: number;
  uploadsPerMinute: number;
  failedLoginsPerMinute: number;
  loginsPerMinute: number;
}): RateLimits {
  const counters: Record<Bucket, BoundedCounters> = {
    messages: new BoundedCounters('messages', limits.messagesPerMinute),
    uploads: new BoundedCounters('uploads', limits.uploadsPerMinute),
    'failed-logins': new BoundedCounters('failed-logins', limits.failedLoginsPerMinute),
    logins: new BoundedCounters('logins', limits.loginsPerMinute),
  };
  return {
    consume: (bucket, key) => counters[bucket].consume(key),
    check: (bucket, key) => counters[bucket].check(key),
  };
}

class BoundedCounters {
  readonly #bucket: Bucket;
  readonly #limiter: RateLimiterMemory;
  readonly #keys: LRUCache<string, true>;

  constructor(bucket: Bucket, points: number) {
    this.#bucket = bucket;
    this.#limiter = new RateLimiterMemory({ points, duration: WINDOW_SECONDS, keyPrefix: '' });
    this.#keys = new LRUCache({
      max: MAX_KEYS,
      disposeAfter: (_, key, reason) => {
        if (reason === 'evict') void this.#limiter.delete(key);
      },
    });
  }

  async consume(key: string): Promise<Quota> {
    this.#keys.set(key, true);
    // The limiter counts on past the limit and tells so by rejecting with its result.
    const result = await this.#limiter.consume(key).catch((refused: RateLimiterRes) => refused);
    const quota = this.#quota(result);
    if (result.consumedPoints > quota.limit) throw new RateLimited(quota);
    return quota;
  }

  async check(key: string): Promise<Quota> {
    const quota = this.#quota(await this.#limiter.get(key));
    if (quota.remaining === 0) throw new RateLimited(quota);
    return quota;
  }

  #quota(result: RateLimiterRes | null): Quota {
    const limit = this.#limiter.points;
    const isRunning = result !== null && result.msBeforeNext > 0;
    return {
      bucket: this.#bucket,
      limit,
      windowSeconds: WINDOW_SECONDS,
      remaining: isRunning ? Math.max(0, limit - result.consumedPoints) : limit,
      resetMs: isRunning ? result.msBeforeNext : WINDOW_SECONDS * 1000,
    };
  }
}
