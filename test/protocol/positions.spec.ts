import { createPositions, parsePosition } from '../../src/protocol/positions.ts';

describe('positions as clients see them', () => {
  test('name their epoch, and are parsed with and without it', () => {
    const positions = createPositions({ epoch: 'abcd1234', head: async () => 7 });
    expect(positions.encode(7)).toBe('abcd1234.7');
    expect(parsePosition(positions.encode(7))).toEqual({ epoch: 'abcd1234', position: 7 });
    expect(parsePosition('7')).toEqual({ epoch: undefined, position: 7 });
    for (const text of ['', '.7', 'abcd1234.', 'abcd123.7', 'ABCD1234.7', 'abcd1234.7.7', '1e3', '-1', ' 7'])
      expect(parsePosition(text)).toBeUndefined();
  });

  test('of another epoch are unknown', () => {
    const positions = createPositions({ epoch: 'abcd1234', head: async () => 7 });
    expect(positions.decode({ epoch: undefined, position: 9 })).toBe(9);
    expect(positions.decode({ epoch: 'abcd1234', position: 9 })).toBe(9);
    expect(() => positions.decode({ epoch: 'abcd1235', position: 1 })).toThrow(
      expect.objectContaining({
        problem: expect.objectContaining({ status: 409, code: 'POSITION_UNKNOWN' }),
      }),
    );
  });

  test('beyond the end of the log are waited for, and then unknown', async () => {
    let head = 6;
    const positions = createPositions({ epoch: 'abcd1234', head: async () => (head += 1) });
    await expect(positions.requireInLog(9)).resolves.toBeUndefined();
    await expect(positions.requireInLog(99, 0)).rejects.toMatchObject({
      problem: { code: 'POSITION_UNKNOWN' },
    });
  });
});
