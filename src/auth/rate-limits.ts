/** The buckets of CONTRACT §2: what is counted, how much of it, and in how many seconds. */
export type Bucket = 'messages' | 'uploads' | 'failed-logins' | 'logins';

/** What is left of a quota, for the RateLimit fields. */
export interface Quota {
  bucket: Bucket;
  limit: number;
  windowSeconds: number;
  remaining: number;
  /** Until the window starts anew. */
  resetMs: number;
}

export class RateLimited extends Error {
  override readonly name = 'RateLimited';
  readonly quota: Quota;

  constructor(quota: Quota) {
    super(`more than ${quota.limit} ${quota.bucket} in ${quota.windowSeconds} s`);
    this.quota = quota;
  }
}

/** The port of the counters: in memory for one node, Redis for many. */
export interface RateLimits {
  /** Takes one from the bucket. Throws `RateLimited` when it is empty. */
  consume(bucket: Bucket, key: string): Promise<Quota>;
  /** Looks without taking. Throws `RateLimited` when it is empty. */
  check(bucket: Bucket, key: string): Promise<Quota>;
}
