import { MARK, WORD, kindOf, normalized } from './characters.ts';
import { type Asked, askedBy, nameOfAccented } from './terms.ts';
import { type Tokens, tokensOf } from './tokens.ts';

/** A search, each part as a `tsquery` of PostgreSQL. */
export interface SearchQuery {
  /** Matches the texts with the words as typed. */
  asTyped: string;
  /** `matching` also finds these and those with other accents, each of which contains one of a few terms. */
  inSecondRank?: { matching: string; holdingOneOf: string };
  /** True if texts that contain none of the words match: `-word`. Such a query has no second rank. */
  matchesOthers: boolean;
  /** True if texts that contain a word do not match: `-word`. */
  hasExclusions: boolean;
}

/** Terms one after the other. */
type Phrase = Asked[];
/** One of several phrases: `full stack` or `fullstack`. */
interface Item {
  isNegated: boolean;
  ways: Phrase[];
}

/** Quotation marks of keyboards and word processors. */
const ITEM =
  /([-\u2212]*)(?:["\u201c\u201d\u201e\u201f«»]([^"\u201c\u201d\u201e\u201f«»]*)(["\u201c\u201d\u201e\u201f«»]|$)|([^\s"\u201c\u201d\u201e\u201f«»]+))/g;

/**
 * Parses the text of a search box, as `websearch_to_tsquery` does: words that must all occur, "phrases", or,
 * -not. Accepts any text. Returns undefined when it contains no word. A dash followed by a space is a dash.
 * With `isTyping` the last word may be unfinished, if the text ends in it.
 */
export function searchQuery(typed: string, { isTyping = false } = {}): SearchQuery | undefined {
  const source = normalized(typed);
  const alternatives: Item[][] = [[]];
  const written = [...source.matchAll(ITEM)];
  let isAfterOr = true;
  for (const [index, [whole, dashes = '', quoted, closing, bare = '']] of written.entries()) {
    const isLast = index === written.length - 1;
    if (whole === 'or' && !isAfterOr && !isLast) {
      alternatives.push([]);
      isAfterOr = true;
      continue;
    }
    isAfterOr = false;
    const isNegated = dashes.length % 2 === 1;
    const isUnfinished = isTyping && isLast && !isNegated && !closing && endsInWord(source);
    const ways = waysOf(tokensOf(quoted ?? bare), isUnfinished);
    if (ways.length > 0) alternatives.at(-1)!.push({ isNegated, ways });
  }
  return compiled(alternatives.filter((items) => items.length > 0));
}

function endsInWord(source: string): boolean {
  const kind = kindOf([...source.slice(-2)].at(-1)!.codePointAt(0)!);
  return kind === WORD || kind === MARK;
}

/**
 * Returns the phrases that match: as written, and with compounds as one word, or with only the known part of
 * them as one.
 */
function waysOf({ tokens, compounds }: Tokens, isUnfinished: boolean): Phrase[] {
  const last = tokens.at(-1);
  if (last === undefined) return [];
  const isPrefix = isUnfinished && 'word' in last && (tokens.length > 1 || [...last.word].length > 1);
  const way = (joined: Tokens['compounds']): Phrase => {
    const phrase: Phrase = [];
    let removed = 0;
    for (let index = 0; index < tokens.length; index += 1) {
      const compound = joined.find(({ first }) => first === index);
      const token = tokens[index]!;
      const at = token.at - removed;
      if (compound) {
        removed += compound.last - index;
        index = compound.last;
      }
      const asked = compound ? { word: compound.word } : token;
      phrase.push(...askedBy({ ...asked, at }, isPrefix && index === tokens.length - 1));
    }
    return phrase;
  };
  if (compounds.length === 0) return [way([])];
  // The longer of two compounds that begin at the same token comes first.
  const ways = [way([]), way(compounds), way(compounds.toReversed())];
  return compounds.some(({ first }, index) => compounds[index + 1]?.first === first)
    ? ways
    : ways.slice(0, 2);
}

function compiled(alternatives: Item[][]): SearchQuery | undefined {
  if (alternatives.length === 0) return undefined;
  const written = (write: Write) => anyOf(alternatives.map((items) => allOf(items, write)));
  const matching = written(whateverItsAccents);
  const matchesOthers = alternatives.some((items) => items.every(({ isNegated }) => isNegated));
  const hasExclusions = alternatives.flat().some(({ isNegated }) => isNegated);
  const kind = { matchesOthers, hasExclusions };
  if (matchesOthers) return { asTyped: matching, ...kind };
  const others = namesOfOthers(alternatives);
  const asTyped = written(exactly);
  if (others.length === 0) return { asTyped, ...kind };
  return { asTyped, ...kind, inSecondRank: { matching, holdingOneOf: anyOf(others) } };
}

/**
 * Returns terms, one of which is in every text with other accents than the query. Most texts, and most
 * indexes, have none.
 */
function namesOfOthers(alternatives: Item[][]): string[] {
  const phrases = alternatives.flat().flatMap(({ isNegated, ways }) => (isNegated ? [] : ways));
  const names = phrases.flat().flatMap((asked) => (asked.isWord ? otherNames(asked) : []));
  return [...new Set(names)];
}

type Write = (asked: Asked) => string;
const operand = (term: string, isPrefix: boolean) => `'${term}'${isPrefix ? ':*' : ''}`;
const exactly: Write = ({ term, isPrefix }: Asked) => operand(term, isPrefix);

function otherNames({ term, isPrefix }: Asked): string[] {
  const name = nameOfAccented(term);
  const plain = name.slice(1);
  return [...(plain === term || plain === '' ? [] : [plain]), name].map((each) => operand(each, isPrefix));
}

const whateverItsAccents: Write = (asked) =>
  asked.isWord ? anyOf([exactly(asked), ...otherNames(asked)]) : exactly(asked);

const anyOf = (operands: string[]) => (operands.length === 1 ? operands[0]! : `(${operands.join(' | ')})`);

/** An excluded word is excluded with other accents as well. */
const allOf = (items: Item[], write: Write) =>
  items
    .map(({ isNegated, ways }) =>
      isNegated
        ? `!(${anyOf(ways.map((way) => inOrder(way, whateverItsAccents)))})`
        : anyOf(ways.map((way) => inOrder(way, write))),
    )
    .join(' & ');

const inOrder = (phrase: Phrase, write: Write) => {
  const written = phrase.map((asked, index) => {
    const before = phrase[index - 1];
    return before ? `<${asked.at - before.at}> ${write(asked)}` : write(asked);
  });
  return phrase.length === 1 ? written[0]! : `(${written.join(' ')})`;
};
