import { RateLimited, type RateLimits } from '../../src/auth/rate-limits.ts';
import { createMemoryRateLimits } from '../../src/platform/memory-rate-limits.ts';

const create = () =>
  createMemoryRateLimits({
    messagesPerMinute: 3,
    uploadsPerMinute: 60,
    failedLoginsPerMinute: 2,
    loginsPerMinute: 60,
  });

async function exhaust(limits: RateLimits, key: string): Promise<number> {
  for (let taken = 0; ; taken += 1)
    try {
      await limits.consume('messages', key);
    } catch (error) {
      expect(error).toBeInstanceOf(RateLimited);
      return taken;
    }
}

describe('Rate limits in memory', () => {
  test('count down and then refuse, telling how long', async () => {
    const limits = create();
    const quotas = [];
    for (let taken = 0; taken < 3; taken += 1) quotas.push(await limits.consume('messages', 'ada'));
    expect(quotas.map(({ remaining }) => remaining)).toStrictEqual([2, 1, 0]);
    expect(quotas[0]).toMatchObject({ bucket: 'messages', limit: 3, windowSeconds: 60 });
    const error = (await limits.consume('messages', 'ada').catch((e: unknown) => e)) as RateLimited;
    expect(error.quota).toMatchObject({ limit: 3, remaining: 0 });
    expect(error.quota.resetMs).toBeGreaterThan(50_000);
    expect(error.quota.resetMs).toBeLessThanOrEqual(60_000);
  });

  test('count each key and each bucket by itself', async () => {
    const limits = create();
    await exhaust(limits, 'ada');
    expect(await exhaust(limits, 'bob')).toBe(3);
    expect(await limits.consume('failed-logins', 'ada')).toMatchObject({ limit: 2, remaining: 1 });
  });

  test('take nothing for a look', async () => {
    const limits = create();
    for (let looks = 0; looks < 5; looks += 1)
      expect(await limits.check('messages', 'ada')).toMatchObject({ remaining: 3, resetMs: 60_000 });
    await exhaust(limits, 'ada');
    await expect(limits.check('messages', 'ada')).rejects.toThrow(RateLimited);
  });

  test('forget the oldest counters rather than fill the memory', async () => {
    const limits = create();
    await exhaust(limits, 'the first');
    for (let key = 0; key < 100_000; key += 1) await limits.consume('messages', `${key}`);
    expect(await limits.check('messages', 'the first')).toMatchObject({ remaining: 3 });
    expect(await limits.check('messages', '99999')).toMatchObject({ remaining: 2 });
  });
});
