import { unaccented } from './characters.ts';
import { type Run, type Word, tokensOf } from './tokens.ts';

/** Marks the unaccented form of a word. No word begins with it. */
const WITHOUT_ACCENTS = '~';

/** Returns the term under which a word with accents is found without them; undefined for a word without accents. */
export function secondName(word: string): string | undefined {
  const plain = unaccented(word);
  return plain === word || plain === '' ? undefined : WITHOUT_ACCENTS + plain;
}

/** Returns the unaccented term of words that differ from this one only in their accents. */
export const nameOfAccented = (word: string): string => WITHOUT_ACCENTS + unaccented(word);

/**
 * Returns the terms of a text, as a `tsvector` of PostgreSQL: only letters, digits, marks and `+ # . ~`, in
 * quotes. A word with accents has a second term beside the first. Characters of scripts without spaces appear
 * in pairs, and the last one of a run alone. Returns null for a text without terms.
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
  /** True if longer terms match too. */
  isPrefix: boolean;
  /** True if accents may differ; false for scripts without spaces. */
  isWord: boolean;
}

/** Returns the terms that find what `termsOf` makes of a token. */
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
