import { type PerMinute, RateLimited, type RateLimits } from '../../src/protocol/rate-limits.ts';
import { limitsOf } from '../support/stages/rate-limits.ts';

const limits = limitsOf({ messagesPerMinute: 3, failedLoginsPerMinute: 2, requestsPerMinute: 10 });

/** Takes all points of a key. Returns how many there were. */
export async function exhaust(rateLimits: RateLimits, key: string): Promise<number> {
  for (let taken = 0; ; taken += 1)
    try {
      await rateLimits.consume('messages', key);
    } catch (error) {
      expect(error).toBeInstanceOf(RateLimited);
      return taken;
    }
}

/** The contract of all rate limits; `create` returns limits that have counted nothing. */
export function rateLimitsContract(create: (limits: PerMinute) => RateLimits | Promise<RateLimits>): void {
  test('count down and then refuse, with the time to wait', async () => {
    const rateLimits = await create(limits);
    const quotas = [];
    for (let taken = 0; taken < 3; taken += 1) quotas.push(await rateLimits.consume('messages', 'ada'));
    expect(quotas.map(({ remaining }) => remaining)).toStrictEqual([2, 1, 0]);
    expect(quotas[0]).toMatchObject({ bucket: 'messages', limit: 3, windowSeconds: 60 });
    const error = (await rateLimits.consume('messages', 'ada').catch((e: unknown) => e)) as RateLimited;
    expect(error.quota).toMatchObject({ bucket: 'messages', limit: 3, windowSeconds: 60, remaining: 0 });
    expect(error.quota.resetMs).toBeGreaterThan(50_000);
    expect(error.quota.resetMs).toBeLessThanOrEqual(60_000);
  });

  test('count each key and each bucket separately', async () => {
    const rateLimits = await create(limits);
    await exhaust(rateLimits, 'ada');
    expect(await exhaust(rateLimits, 'bob')).toBe(3);
    expect(await rateLimits.consume('failed-logins', 'ada')).toMatchObject({ limit: 2, remaining: 1 });
  });

  test('consume nothing for a check', async () => {
    const rateLimits = await create(limits);
    for (let looks = 0; looks < 5; looks += 1)
      expect(await rateLimits.check('messages', 'ada')).toMatchObject({ remaining: 3, resetMs: 60_000 });
    await exhaust(rateLimits, 'ada');
    await expect(rateLimits.check('messages', 'ada')).rejects.toThrow(RateLimited);
  });

  test('take points from a budget until too few are left, and none for a refused call', async () => {
    const rateLimits = await create(limits);
    expect(rateLimits.spend('requests', 'ada', 8)).toMatchObject({
      bucket: 'requests',
      limit: 10,
      windowSeconds: 60,
      remaining: 2,
    });
    expect(() => rateLimits.spend('requests', 'ada', 3)).toThrow(RateLimited);
    expect(rateLimits.spend('requests', 'ada', 2)).toMatchObject({ remaining: 0 });
    expect(() => rateLimits.spend('requests', 'ada', 1)).toThrow(RateLimited);
    expect(rateLimits.spend('requests', 'bob', 1)).toMatchObject({ remaining: 9 });
    expect(rateLimits.spend('anonymous', 'ada', 1)).toMatchObject({ bucket: 'anonymous' });
    expect(rateLimits.spend('clients', 'ada', 1)).toMatchObject({ bucket: 'clients' });
  });

  test('admit concurrent calls of one caller at the rate of its budget', async () => {
    const rateLimits = await create({ ...limits, requestsPerMinute: 3_000 });
    expect(rateLimits.spend('requests', 'ada', 150).delayMs).toBeCloseTo(0);
    const { delayMs } = rateLimits.spend('requests', 'ada', 100);
    expect(delayMs).toBeGreaterThan(0);
    expect(delayMs).toBeLessThanOrEqual(1_000);
    expect(rateLimits.spend('requests', 'ada', 2_000).delayMs).toBe(2_000);
    expect(rateLimits.spend('requests', 'bob', 1).delayMs).toBe(0);
  });

  test('never grant more than is left to concurrent callers', async () => {
    const rateLimits = await create(limits);
    const asked = Array.from({ length: 20 }, () => rateLimits.consume('messages', 'ada'));
    const given = (await Promise.allSettled(asked)).filter(({ status }) => status === 'fulfilled');
    expect(given).toHaveLength(3);
  });
}
