import fc from 'fast-check';
import { text } from '../../src/events/text.ts';

const accepts = (value: unknown, min = 1, max = 5) => text(min, max).safeParse(value).success;

describe('text', () => {
  test('is counted in characters, not in the units that hold them', () => {
    expect(accepts('👍👍👍👍👍')).toBe(true);
    expect(accepts('👍👍👍👍👍👍')).toBe(false);
    expect(accepts('abcde')).toBe(true);
    expect(accepts('abcdef')).toBe(false);
  });

  test('has at least as many characters as asked for', () => {
    expect(accepts('')).toBe(false);
    expect(accepts('', 0)).toBe(true);
  });

  test.each([
    ['a NUL character', 'a\u0000b'],
    ['half of a pair at the end', 'a\ud83d'],
    ['half of a pair at the start', '\udc4da'],
    ['halves in the wrong order', '\udc4d\ud83d'],
  ])('with %s cannot be stored', (_, value) => expect(accepts(value)).toBe(false));

  test.each([null, undefined, 1, {}, ['a'], true])('is not %p', (value) =>
    expect(accepts(value)).toBe(false),
  );

  test('is kept to the letter', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }), (value) => {
        const read = text(1, 100).safeParse(value);
        expect(read.success ? read.data : value).toBe(value);
        expect(read.success).toBe(!value.includes('\u0000'));
      }),
    ));
});
