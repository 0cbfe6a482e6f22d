import { createMemoryRateLimits } from '../../src/platform/memory-rate-limits.ts';
import { rateLimitsOf } from '../support/rate-limits.ts';
import { exhaust, rateLimitsContract } from './rate-limits-contract.ts';

describe('Rate limits in memory', () => {
  rateLimitsContract(createMemoryRateLimits);

  test('forget the oldest counters rather than fill the memory', async () => {
    const limits = rateLimitsOf({ messagesPerMinute: 3, anonymousRequestsPerMinute: 3 });
    await exhaust(limits, 'the first');
    limits.spend('anonymous', 'the first', 3);
    for (let key = 0; key < 100_000; key += 1) await limits.consume('messages', `${key}`);
    for (let key = 0; key < 100_000; key += 1) limits.spend('anonymous', `${key}`, 1);
    expect(await limits.check('messages', 'the first')).toMatchObject({ remaining: 3 });
    expect(await limits.check('messages', '99999')).toMatchObject({ remaining: 2 });
    expect(limits.spend('anonymous', 'the first', 3)).toMatchObject({ remaining: 0 });
  });
});
