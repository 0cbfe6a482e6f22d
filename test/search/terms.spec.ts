import fc from 'fast-check';
import pg from 'pg';
import { normalized, unaccented } from '../../src/search/characters.ts';
import { searchQuery } from '../../src/search/query.ts';
import { secondName, termsOf } from '../../src/search/terms.ts';
import { tokensOf } from '../../src/search/tokens.ts';
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

/** What people write, and what is made of it: each part is joined to others in any order. */
const parts = fc.oneof(
  fc.constantFrom(
    ...['a', 'The', 'again', 'again', '9', '42', '1st', 'don’t', "I'm", 'e-mail', 'E-Mail-Adresse', 'a-b-c'],
    ...['ada@example.com', 'https://www.example.net/a_b?c=1#d', 'report-2.final.pdf', 'C++', 'c#', 'F#1'],
    ...['.NET', 'ASP.NET', 'node.js', 'long'.repeat(16), 'longer'.repeat(20), '-', "'", '.', '+', '#'],
    ...[
      'Straße',
      'école',
      'æ'.repeat(70),
      'Ёлка',
      '上海',
      'ที่ทำ',
      '한국어',
      'किताब',
      '٣',
      '𝒜',
      '😀',
      '\u0301',
    ],
  ),
  fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
);
const written = fc
  .array(fc.tuple(parts, fc.constantFrom(' ', ' ', ', ', '\n', '-', '.', '')), { maxLength: 40 })
  .map((all) => all.flat().join(''));

/** Returns the terms of a text, each made of a token. */
function termsOfTokens(text: string): string {
  const { tokens, compounds } = tokensOf(text);
  const named = (word: string, at: number) =>
    [word, secondName(word) ?? []].flat().map((term) => ({ term, at }));
  const terms = tokens.flatMap((token) =>
    'word' in token
      ? [token.word, token.also ?? []].flat().flatMap((word) => named(word, token.at))
      : token.units.map((unit, index) => ({
          term: unit + (token.units[index + 1] ?? ''),
          at: token.at + index,
        })),
  );
  return [...terms, ...compounds.flatMap(({ word, at }) => named(word, at))]
    .map(({ term, at }) => `'${term}':${at} `)
    .join('');
}

describe('the terms of a text', () => {
  test('are those of its tokens, then those of its compounds', () =>
    fc.assert(
      fc.property(fc.oneof(written, anyText), (text) =>
        expect(termsOf(text)).toBe(termsOfTokens(text) || null),
      ),
      { numRuns: 3_000 },
    ));

  test('are the same beside other texts, and however many there are', () =>
    fc.assert(
      fc.property(written, fc.integer({ min: 1, max: 200 }), (text, times) => {
        const repeated = `${text} `.repeat(times);
        expect(termsOf(repeated)).toBe(termsOfTokens(repeated) || null);
      }),
      { numRuns: 100 },
    ));

  test('are these', () => {
    expect(termsOf('E-Mail-Adresse: l’école')).toBe(
      "'e':1 'mail':2 'adresse':3 'l':4 'école':5 '~ecole':5 " +
        "'emailadresse':1 'email':1 'lécole':4 '~lecole':4 ",
    );
    expect(termsOf('C++, ASP.NET on node.js')).toBe(
      "'c++':1 'asp':2 '.net':3 'net':3 'on':4 'node':5 'js':6 'nodejs':5 ",
    );
    expect(termsOf('上海 9')).toBe("'上海':1 '海':2 '9':3 ");
    expect(termsOf(' - ')).toBeNull();
  });
});

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
