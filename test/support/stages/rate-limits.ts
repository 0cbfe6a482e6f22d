import type { PerMinute } from '../../../src/protocol/rate-limits.ts';
import { createMemoryRateLimits } from '../../../src/adapters/memory/rate-limits.ts';

/** Limits that only floods reach, except for the given ones. */
export const limitsOf = (few: Partial<PerMinute> = {}): PerMinute => ({
  messagesPerMinute: 1_000_000,
  uploadsPerMinute: 1_000_000,
  failedLoginsPerMinute: 1_000_000,
  loginsPerMinute: 1_000_000,
  requestsPerMinute: 1_000_000,
  clientRequestsPerMinute: 1_000_000,
  anonymousRequestsPerMinute: 1_000_000,
  ...few,
});

export const rateLimitsOf = (few?: Partial<PerMinute>) => createMemoryRateLimits(limitsOf(few));
