import fc from 'fast-check';
import { named, text, visible } from '../../src/events/text.ts';

const accepts = (value: unknown, min = 1, max = 5) => text(min, max).safeParse(value).success;

describe('text', () => {
  test('is measured in code points, not in UTF-16 code units', () => {
    expect(accepts('👍👍👍👍👍')).toBe(true);
    expect(accepts('👍👍👍👍👍👍')).toBe(false);
    expect(accepts('abcde')).toBe(true);
    expect(accepts('abcdef')).toBe(false);
  });

  test('has at least the required length', () => {
    expect(accepts('')).toBe(false);
    expect(accepts('', 0)).toBe(true);
    expect(accepts('👍👍', 3)).toBe(false);
    expect(accepts('👍👍👍', 3)).toBe(true);
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

  test('is kept unchanged', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }), (value) => {
        const read = text(1, 100).safeParse(value);
        expect(read.success ? read.data : value).toBe(value);
        expect(read.success).toBe(!value.includes('\u0000'));
      }),
    ));
});

describe('visible text', () => {
  const message = visible(text(1, 100));

  test.each([
    ['spaces', ' \t\n\u00A0\u2003\u3000'],
    ['characters of no width', '\u200B\u200D\uFEFF\u2060\u00AD'],
    ['fillers of Hangul', '\u3164\u115F\u1160\uFFA0'],
    ['a blank of Braille', '\u2800'],
    ['marks that turn the direction', '\u200E\u202E\u2066'],
    ['a selector without an emoji', '\uFE0F'],
  ])('requires more than %s', (_, value) => expect(message.safeParse(value).success).toBe(false));

  test.each(['a', ' a ', '.', '👍', '上', 'ก', 'ـ', '\u{F0000}', '\u200Bx'])(
    'accepts %j unchanged',
    (value) => expect(message.parse(value)).toBe(value),
  );
});

describe('a name', () => {
  const name = named(text(1, 100));

  test('is normalized to one spelling', () => expect(name.parse('Jose\u0301')).toBe('Jos\u00E9'));

  test('contains no open bidirectional controls', () => {
    expect(name.parse('\u202Egpj.exe\u202C')).toBe('gpj.exe');
    expect(name.parse('\u2067עדה\u2069 Ada')).toBe('עדה Ada');
    expect(name.parse('\u200Fעדה')).toBe('\u200Fעדה');
  });

  test.each(['', ' ', '\u200B', '\u3164', '\u202E'])('rejects %j', (value) =>
    expect(name.safeParse(value).success).toBe(false),
  );
});
