import { searchQuery } from '../../src/search/query.ts';
import { termsOf } from '../../src/search/terms.ts';
import { matches } from '../support/language/tsquery.ts';
import { type Expected, cases, languages } from './cases/all.ts';

function outcomeOf(text: string, asked: string, isTyping: boolean): Expected {
  const [terms, query] = [termsOf(text), searchQuery(asked, { isTyping })];
  if (terms === null || query === undefined) return 'missed';
  if (matches(terms, query.asTyped)) return 'found';
  const second = query.inSecondRank;
  return second && matches(terms, second.holdingOneOf) && matches(terms, second.matching)
    ? 'accents'
    : 'missed';
}

test('The table has at least 300 cases in at least 25 languages', () => {
  expect(cases.length).toBeGreaterThanOrEqual(300);
  expect(languages).toBeGreaterThanOrEqual(25);
});

test.each(cases)('$of: $asked in "$text" is $expected', ({ text, asked, isTyping, expected }) =>
  expect(outcomeOf(text, asked, isTyping)).toBe(expected),
);
