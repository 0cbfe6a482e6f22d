import { createMemoryRateLimits } from '../../src/platform/memory-rate-limits.ts';
import { exhaust, rateLimitsContract } from './rate-limits-contract.ts';

describe('Rate limits in memory', () => {
  rateLimitsContract(createMemoryRateLimits);

  test('forget the oldest counters rather than fill the memory', async () => {
    const limits = createMemoryRateLimits({
      messagesPerMinute: 3,
      uploadsPerMinute: 60,
      failedLoginsPerMinute: 2,
      loginsPerMinute: 60,
    });
    await exhaust(limits, 'the first');
    for (let key = 0; key < 100_000; key += 1) await limits.consume('messages', `${key}`);
    expect(await limits.check('messages', 'the first')).toMatchObject({ remaining: 3 });
    expect(await limits.check('messages', '99999')).toMatchObject({ remaining: 2 });
  });
});
