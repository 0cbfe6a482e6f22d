import fc from 'fast-check';
import pg from 'pg';
import { normalized, unaccented } from '../../src/search/characters.ts';
import { searchQuery } from '../../src/search/query.ts';
import { termsOf } from '../../src/search/terms.ts';
import { databaseUrl } from '../support/stages/database.ts';
import { matches } from '../support/language/tsquery.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({
    unit: fc.constantFrom(...'aBÉßİıΣς上海ทำที่가ﷺﬁ½ -‐’.+#ー\u0301\u0307\u200c\u200d'),
    maxLength: 40,
  }),
);

describe('the normalized form of a text', () => {
  test('is stable', () =>
    fc.assert(fc.property(anyText, (text) => expect(normalized(normalized(text))).toBe(normalized(text)))));

  test('is the same for every case and composition', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        for (const other of [text.normalize('NFD'), text.normalize('NFKC')])
          expect(normalized(other)).toBe(normalized(text));
      }),
    ));

  test('loses its accents in one pass', () =>
    fc.assert(
      fc.property(anyText, (text) => {
        const plain = unaccented(normalized(text));
        expect(unaccented(plain)).toBe(plain);
      }),
    ));
});

test('A text is found by its whole content', () =>
  fc.assert(
    fc.property(anyText, (text) => {
      const terms = termsOf(text);
      const query = searchQuery(`"${text.replace(/["“”„‟«»＂\ufeff]/gu, ' ')}"`);
      if (terms !== null && query !== undefined && !/["“”„‟«»＂]/u.test(normalized(text)))
        expect(matches(terms, query.asTyped)).toBe(true);
    }),
    { numRuns: 1_000 },
  ));

describe('the longest texts', () => {
  const LONGEST = 10_400;
  const filled = (part: (n: number) => string) => {
    const characters: string[] = [];
    for (let n = 0; characters.length < LONGEST; n += 1) characters.push(...part(n));
    return characters.slice(0, LONGEST).join('');
  };
  const texts = {
    'one character that stands for eighteen': filled(() => 'ﷺ'),
    'one word': filled(() => 'x'),
    'letters without end': filled(() => 'é'),
    'words of one letter': filled((n) => `${String.fromCodePoint(0xc0 + (n % 0x180))} `),
    'accented words, each another': filled((n) => `${'é'.repeat(30)}${n} `),
    'compounds, each another': filled((n) => `é${n.toString(36)}-é${n}-ø `),
    'one compound': filled((n) => `é${n}-`),
    'characters of a script without spaces, each pair another': filled((n) =>
      String.fromCodePoint(0x2_0000 + n, 0x2_0000 + ((n * 7_919) % 42_000)),
    ),
    'accents upon accents': filled(() => '\u0301'.replace(/^/, 'e\u0300\u0302\u0303')),
    'syllables with marks': filled((n) => `${String.fromCodePoint(0xe01 + (n % 46))}\u0e34\u0e48`),
    'names of languages': filled(() => 'c++.net c# '),
  };
  let client: pg.Client;
  beforeAll(async () => {
    client = new pg.Client({ connectionString: databaseUrl('postgres') });
    await client.connect();
  });
  afterAll(() => client.end());

  test.each(Object.entries(texts))('have terms that PostgreSQL accepts: %s', async (_, text) => {
    expect([...text]).toHaveLength(LONGEST);
    const { rows } = await client.query('select length($1::tsvector) > 0 as "isFilled"', [termsOf(text)]);
    expect(rows).toEqual([{ isFilled: true }]);
    const query = searchQuery([...text].slice(0, 200).join(''), { isTyping: true })!;
    await client.query('select $1::tsvector @@ $2::tsquery', [termsOf(text), query.asTyped]);
    if (query.inSecondRank) await client.query('select $1::tsquery', [query.inSecondRank.matching]);
  });
});
