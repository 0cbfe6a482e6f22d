import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { searchQuery } from '../../src/search/query.ts';
import { termsOf } from '../../src/search/terms.ts';
import { administer, databaseUrl } from '../support/stages/database.ts';
import { matches } from '../support/language/tsquery.ts';
import { type Case, cases } from './cases/all.ts';

/** Locales of databases: ours, the one that the manual recommends, and a Turkish default. */
const LOCALES = {
  C: `locale 'C'`,
  'C.UTF-8': `locale_provider builtin builtin_locale 'C.UTF-8' locale 'C'`,
  'ICU tr-TR': `locale_provider icu icu_locale 'tr-TR' locale 'C'`,
};

/** Texts and queries with characters that are special to a parser. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.string({
    unit: fc.constantFrom(...'ab\'"\\:*&|!()<->~-+#./ \t\n§é上海ßİ\u0301\u200c“or1'),
    maxLength: 100,
  }),
);

describe.each(Object.entries(LOCALES))('a database with locale %s', (_, locale) => {
  const name = `test_${randomBytes(6).toString('hex')}`;
  let client: pg.Client;
  beforeAll(async () => {
    await administer(`create database ${name} template template0 encoding 'UTF8' ${locale}`);
    client = new pg.Client({ connectionString: databaseUrl(name) });
    await client.connect();
    await client.query('create table texts (text text, terms tsvector)');
    const texts = [...new Set(cases.map(({ text }) => text))];
    await client.query('insert into texts select * from unnest($1::text[], $2::text[]::tsvector[])', [
      texts,
      texts.map(termsOf),
    ]);
    await client.query('create index by_text on texts using gin (terms)');
    await client.query('set enable_seqscan = off');
  });
  afterAll(async () => {
    await client.end();
    await administer(`drop database ${name} with (force)`);
  });

  /** Returns the indexes of the cases whose text matches their query. */
  const found = async (asking: (asked: Case) => string | undefined): Promise<number[]> => {
    const queries = cases.map((asked) => asking(asked) ?? null);
    const { rows } = await client.query<{ index: string }>(
      `select index from unnest($1::text[], $2::text[]) with ordinality c (text, asked, index), lateral (
         select t.text from texts t where t.terms @@ c.asked::tsquery offset 0
       ) hit where hit.text = c.text order by index`,
      [cases.map(({ text }) => text), queries],
    );
    return rows.map(({ index }) => Number(index) - 1);
  };
  const indexes = (...expected: Case['expected'][]) =>
    cases.flatMap((asked, index) => (expected.includes(asked.expected) ? index : []));

  test('finds exactly what the table expects', async () => {
    expect(await found(({ asked, isTyping }) => searchQuery(asked, { isTyping })?.asTyped)).toEqual(
      indexes('found'),
    );
    const inSecondRank = await found(({ asked, isTyping }) => {
      const query = searchQuery(asked, { isTyping });
      return query?.inSecondRank?.matching ?? query?.asTyped;
    });
    expect(inSecondRank).toEqual(indexes('found', 'accents'));
  });

  test('accepts the terms of any text and any query, and matches like the tests’ own evaluator', () =>
    fc.assert(
      fc.asyncProperty(hostile, hostile, fc.boolean(), async (text, asked, isTyping) => {
        const terms = termsOf(text) ?? '';
        const query = searchQuery(asked, { isTyping });
        for (const each of [query?.asTyped, query?.inSecondRank?.matching, query?.inSecondRank?.holdingOneOf])
          if (each !== undefined) {
            const { rows } = await client.query('select $1::tsvector @@ $2::tsquery as "isFound"', [
              terms,
              each,
            ]);
            expect(rows).toEqual([{ isFound: matches(terms, each) }]);
          }
      }),
      { numRuns: 500 },
    ));
});
