import { reusedFor } from '../../src/kit/reuse.ts';

describe('work whose result is reused', () => {
  test('is done once for callers that come together', async () => {
    let done = 0;
    const work = reusedFor(60_000, async () => (done += 1));
    expect(await Promise.all([work(), work()])).toEqual([1, 1]);
    expect(await work()).toBe(1);
  });

  test('is done again once the result is old', async () => {
    let done = 0;
    const work = reusedFor(-1, async () => (done += 1));
    expect([await work(), await work()]).toEqual([1, 2]);
  });
});
