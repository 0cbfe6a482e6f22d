import { unaccented } from './characters.ts';
import { type Run, type Word, tokensOf } from './tokens.ts';

/** No word begins with it. */
const WITHOUT_ACCENTS = '~';

/** Under which name a word that has accents is found by those who type none; undefined for one that has none. */
export function secondName(word: string): string | undefined {
  const plain = unaccented(word);
  return plain === word || plain === '' ? undefined : WITHOUT_ACCENTS + plain;
}

/** The name, if there were such a word, of those that differ from this one in their accents alone. */
export const nameOfAccented = (word: string): string => WITHOUT_ACCENTS + unaccented(word);

/**
 * The terms of a text, as PostgreSQL writes a `tsvector`: no more than letters, digits, marks and `+ # . ~`, in quotes.
 * Words with accents have a second name beside the first. Characters of scripts without spaces are in there in pairs, and
 * the last one of a run alone. Null for a text without any.
 */
export function termsOf(text: string | null): string | null {
  if (text === null) return null;
  const { tokens, compounds } = tokensOf(text);
  if (tokens.length === 0) return null;
  let terms = '';
  const add = (term: string, at: number) => {
    terms += `'${term}':${at} `;
  };
  const addWord = (word: string, at: number) => {
    add(word, at);
    const second = secondName(word);
    if (second !== undefined) add(second, at);
  };
  for (const token of tokens) {
    if ('units' in token) addRun(token, add);
    else {
      addWord(token.word, token.at);
      if (token.also !== undefined) addWord(token.also, token.at);
    }
  }
  for (const { first, word } of compounds) addWord(word, tokens[first]!.at);
  return terms;
}

function addRun({ at, units }: Run, add: (term: string, at: number) => void): void {
  for (const [index, unit] of units.entries()) add(unit + (units[index + 1] ?? ''), at + index);
}

/** A term that a query asks for, and its place in a phrase. */
export interface Asked {
  at: number;
  term: string;
  /** Whether longer ones will do. */
  isPrefix: boolean;
  /** Whether accents may differ; those of scripts without spaces do not. */
  isWord: boolean;
}

/** The terms by which what `termsOf` makes of a token is found. */
export function askedBy(token: Word | Run, isPrefix: boolean): Asked[] {
  if ('word' in token) return [{ at: token.at, term: token.word, isPrefix, isWord: true }];
  const { at, units } = token;
  if (units.length === 1) return [{ at, term: units[0]!, isPrefix: true, isWord: false }];
  return units.slice(1).map((unit, index) => ({
    at: at + index,
    term: units[index]! + unit,
    isPrefix: false,
    isWord: false,
  }));
}
