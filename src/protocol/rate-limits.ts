/** Counted exactly, one at a time. */
export type Bucket =
  'messages' | 'uploads' | 'failed-logins' | 'logins' | 'verification-letters' | 'address-changes';

/** What all other calls take points from: of a user, and of the address of a caller who is not known. */
export type Budget = 'requests' | 'anonymous';

/** Fixed windows, each started by its key's first use. */
export const WINDOW_SECONDS = 60;

/** Of a user, in windows of an hour. No setting changes them: they keep the mailboxes of strangers from being filled. */
export const PER_HOUR = { 'verification-letters': 3, 'address-changes': 5 } as const;

export const windowSecondsOf = (bucket: Bucket): number =>
  Object.hasOwn(PER_HOUR, bucket) ? 3_600 : WINDOW_SECONDS;

/** What each bucket and budget holds for one key and window. */
export interface PerMinute {
  messagesPerMinute: number;
  uploadsPerMinute: number;
  failedLoginsPerMinute: number;
  loginsPerMinute: number;
  /** Points, of a user and of the address of a caller who is not known. */
  requestsPerMinute: number;
  anonymousRequestsPerMinute: number;
}

/** What is left of a quota, for the RateLimit fields. */
export interface Quota {
  bucket: Bucket | Budget;
  limit: number;
  windowSeconds: number;
  remaining: number;
  /** Until the window starts anew. */
  resetMs: number;
}

/** What spending points comes to. */
export interface Spent extends Quota {
  /** How long the caller waits before its work begins: one that spends a minute's points in seconds is served at a pace. */
  delayMs: number;
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
  /**
   * Takes points from the budget and returns at once: nodes tell each other soon after, so that for a moment each may
   * give what another has given. Throws `RateLimited`, and takes nothing, when fewer are left.
   */
  spend(budget: Budget, key: string, points: number): Spent;
}
