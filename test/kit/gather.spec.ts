import { gather } from '../../src/kit/gather.ts';

/** Doubles numbers. `calls` holds the keys of each call, which completes on `finish`. */
function doubling() {
  const calls: number[][] = [];
  const ends: PromiseWithResolvers<void>[] = [];
  const ask = gather<number, number>(
    async (keys) => {
      calls.push(keys);
      const end = Promise.withResolvers<void>();
      ends.push(end);
      await end.promise;
      return new Map(keys.filter((key) => key >= 0).map((key) => [key, 2 * key]));
    },
    { most: 3 },
  );
  return {
    ask,
    calls,
    finish: (call: number) => ends[call]!.resolve(),
    fail: (call: number) => ends[call]!.reject(new Error('no')),
  };
}

const turn = () => new Promise(setImmediate);

describe('gather', () => {
  test('makes one call for the keys of one turn, and returns undefined for missing ones', async () => {
    const { ask, calls, finish } = doubling();
    const answers = Promise.all([ask(1), ask(-1), ask(1)]);
    await turn();
    finish(0);
    expect(await answers).toEqual([2, undefined, 2]);
    expect(calls).toEqual([[1, -1]]);
  });

  test('makes another call for a key whose call has begun, together with all waiting keys, in limited chunks', async () => {
    const { ask, calls, finish } = doubling();
    const first = ask(1);
    await turn();
    const later = Promise.all([1, 2, 3, 4].map(ask));
    finish(0);
    expect(await first).toBe(2);
    await turn();
    finish(1);
    await turn();
    finish(2);
    expect(await later).toEqual([2, 4, 6, 8]);
    expect(calls).toEqual([[1], [1, 2, 3], [4]]);
  });

  test('rejects the keys of a failed call, and calls again for the next', async () => {
    const { ask, fail, finish } = doubling();
    const lost = ask(1);
    await turn();
    const kept = ask(2);
    fail(0);
    await expect(lost).rejects.toThrow('no');
    await turn();
    finish(1);
    expect(await kept).toBe(4);
  });
});
