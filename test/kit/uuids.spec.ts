import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { z } from 'zod';
import { deriveId, newId } from '../../src/kit/uuids.ts';

const anyParts = fc.array(fc.oneof(fc.string(), fc.integer()), { minLength: 1, maxLength: 4 });

describe('ids', () => {
  test('a new id is a UUID of version 7, and later than the previous one', () => {
    const ids = Array.from({ length: 1_000 }, newId);
    expect(ids.every((id) => z.uuidv7().safeParse(id).success)).toBe(true);
    expect(ids.toSorted()).toStrictEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('a derived id is a UUID of version 5', () =>
    fc.assert(
      fc.property(anyParts, (parts) => z.uuid({ version: 'v5' }).safeParse(deriveId(...parts)).success),
    ));

  test('the same parts give the same id, other parts a different one', () =>
    fc.assert(
      fc.property(anyParts, anyParts, (a, b) => {
        const isSame = JSON.stringify(a) === JSON.stringify(b);
        return (deriveId(...a) === deriveId(...b)) === isSame;
      }),
    ));

  test.each([
    [
      ['a', 'b'],
      ['ab', ''],
    ],
    [['a,b'], ['a', 'b']],
    [[1], ['1']],
  ])('%j and %j give different ids', (a, b) => expect(deriveId(...a)).not.toBe(deriveId(...b)));

  test('a derived id never changes: the ids of stored events depend on it', () => {
    expect(deriveId('SendMessage', 'a key', 0)).toBe('68c9e0ef-97d1-50cc-9575-61d6e25e4b38');
    const digest = createHash('sha1')
      .update(Buffer.from('6f1d9b1e2c5a4e0f9a3b7c8d5e4f6a10', 'hex'))
      .update('["SendMessage","a key",0]')
      .digest('hex');
    expect(deriveId('SendMessage', 'a key', 0).slice(0, 13)).toBe(
      `${digest.slice(0, 8)}-${digest.slice(8, 12)}`,
    );
  });
});
