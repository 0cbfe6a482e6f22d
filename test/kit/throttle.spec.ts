import { createThrottle } from '../../src/kit/throttle.ts';

describe('a throttle', () => {
  let time = 0;
  let slept: number[] = [];
  const sleep = async (ms: number) => void slept.push(ms);
  const paced = () => createThrottle(1_000, { now: () => time, sleep });
  beforeEach(() => {
    time = 0;
    slept = [];
  });

  test('makes each call wait for the earlier ones', async () => {
    const pace = paced();
    await Promise.all([pace(100), pace(200), pace(100)]);
    expect(slept).toEqual([100, 300, 400]);
  });

  test('saves no budget while idle', async () => {
    const pace = paced();
    await pace(100);
    time = 60_000;
    await pace(100);
    expect(slept).toEqual([100, 100]);
  });

  test('does not wait within the resolution of timers', async () => {
    await paced()(2);
    expect(slept).toEqual([]);
  });
});
