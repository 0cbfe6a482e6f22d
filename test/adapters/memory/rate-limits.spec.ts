import { createMemoryRateLimits } from '../../../src/adapters/memory/rate-limits.ts';
import { rateLimitsOf } from '../../support/stages/rate-limits.ts';
import { memoryInUse } from '../../support/memory-in-use.ts';
import { exhaust, rateLimitsContract } from '../rate-limits-contract.ts';

const MIB = 1_048_576;

describe('Rate limits in memory', () => {
  rateLimitsContract(createMemoryRateLimits);

  test('forget the oldest counters when the memory limit is reached', async () => {
    const limits = rateLimitsOf({ messagesPerMinute: 3, anonymousRequestsPerMinute: 3 });
    await exhaust(limits, 'the first');
    limits.spend('anonymous', 'the first', 3);
    for (let key = 0; key < 100_000; key += 1) await limits.consume('messages', `${key}`);
    for (let key = 0; key < 100_000; key += 1) limits.spend('anonymous', `${key}`, 1);
    expect(await limits.check('messages', 'the first')).toMatchObject({ remaining: 3 });
    expect(await limits.check('messages', '99999')).toMatchObject({ remaining: 2 });
    expect(limits.spend('anonymous', 'the first', 3)).toMatchObject({ remaining: 0 });
  });

  test('take no memory for unused keys, and at most 16 MiB per bucket', async () => {
    const before = memoryInUse();
    const limits = rateLimitsOf({});
    expect(memoryInUse() - before).toBeLessThan(MIB);
    for (let key = 0; key < 100_000; key += 1) await limits.consume('messages', `${key}`);
    expect(memoryInUse() - before).toBeLessThan(1.3 * 16 * MIB);
    for (let key = 0; key < 100_000; key += 1) limits.spend('requests', `${key}`, 1);
    expect(memoryInUse() - before).toBeLessThan(1.3 * 32 * MIB);
    expect(await limits.check('messages', '99999')).toBeDefined();
  });
});
