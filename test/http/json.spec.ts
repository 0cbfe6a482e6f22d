import fc from 'fast-check';
import { parseJson } from '../../src/http/json.ts';
import { ProblemError } from '../../src/protocol/problem.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const faultOf = (input: Uint8Array) => {
  try {
    parseJson(input);
  } catch (error) {
    if (error instanceof ProblemError) return error.problem.errors?.[0];
    throw error;
  }
  return undefined;
};

describe('a JSON body', () => {
  test('is parsed like JSON.parse does', () => {
    const isTaken = (value: unknown) => {
      const text = JSON.stringify(value);
      expect(parseJson(bytes(text))).toStrictEqual(JSON.parse(text));
    };
    const words = fc
      .string({ unit: 'grapheme' })
      .filter((word) => !word.includes('\u0000') && word !== '__proto__');
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' }).filter(isClean), isTaken));
    fc.assert(fc.property(fc.dictionary(words, fc.array(fc.dictionary(words, words))), isTaken));
  });

  test('of white space only counts as no body', () => {
    expect(parseJson(bytes(' \n'))).toBeUndefined();
  });

  test.each([
    ['a name twice', '{"a":{"b":1,"c":2,"b":3}}', '/a/b'],
    ['a name twice, once escaped', '{"a":1,"\\u0061":2}', '/a'],
    ['__proto__', '{"list":[{},{"__proto__":{}}]}', '/list/1/__proto__'],
    ['an escaped __proto__', '{"\\u005f_proto__":1}', '/__proto__'],
    ['NUL', '{"a":["","x\\u0000"]}', '/a/1'],
    ['NUL in a name', '{"\\u0000":1}', '/\u0000'],
    ['a lone surrogate', '{"a":"\\ud83d"}', '/a'],
    ['17 levels', `${'['.repeat(17)}${']'.repeat(17)}`, '/0'.repeat(16)],
    ['too many levels to count', `${'{"a":['.repeat(5_000)}${']}'.repeat(5_000)}`, '/a/0'.repeat(8)],
    ['no JSON', '{"a":}', ''],
    ['two values', '1 2', ''],
  ])('with %s is refused, with a pointer to the place', (_name, text, pointer) => {
    expect(faultOf(bytes(text))).toMatchObject({ pointer });
  });

  test('in another encoding than UTF-8 is refused', () => {
    expect(faultOf(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject({ message: 'Must be UTF-8' });
  });

  test('may repeat a name in two objects and have 16 levels', () => {
    expect(parseJson(bytes('[{"a":1},{"a":2}]'))).toStrictEqual([{ a: 1 }, { a: 2 }]);
    expect(parseJson(bytes(`${'['.repeat(16)}${']'.repeat(16)}`))).toBeDefined();
  });
});

const isClean = (value: unknown): boolean => !/\\u0000|\\ud[89a-f]|"__proto__"/.test(JSON.stringify(value));
