import { unaccented } from './characters.ts';
import { type Compound, type Run, type TokenSink, type Word, splitInto } from './tokens.ts';

/** Marks the unaccented form of a word. No word begins with it. */
const WITHOUT_ACCENTS = '~';

/** Returns the term under which a word with accents is found without them; undefined for a word without accents. */
export function secondName(word: string): string | undefined {
  const plain = unaccented(word);
  return plain === word || plain === '' ? undefined : WITHOUT_ACCENTS + plain;
}

/** Returns the unaccented term of words that differ from this one only in their accents. */
export const nameOfAccented = (word: string): string => WITHOUT_ACCENTS + unaccented(word);

const [QUOTE, COLON, SPACE] = [0x27, 0x3a, 0x20];
/** The terms of a text, as UTF-16. A string that grows term by term would leave a copy at each step as garbage. */
const units = new Uint16Array(4_096);
const written = Buffer.from(units.buffer);
/** Length of what is written around a term: four signs, and its position of at most five digits. */
const AROUND = 9;

/** Writes the terms of one text. */
class TermWriter implements TokenSink {
  #full = '';
  #length = 0;
  readonly #compounds: Compound[] = [];

  word(at: number, word: string, also: string | undefined): void {
    this.#addWord(word, at);
    if (also !== undefined) this.#addWord(also, at);
  }

  run(at: number, characters: string[]): void {
    characters.forEach((character, index) =>
      this.#add(character + (characters[index + 1] ?? ''), at + index),
    );
  }

  compound(compound: Compound): void {
    this.#compounds.push(compound);
  }

  /** Returns what was written, compounds last; null when there is no term. */
  end(): string | null {
    for (const { word, at } of this.#compounds) this.#addWord(word, at);
    return this.#taken() || null;
  }

  #addWord(word: string, at: number): void {
    this.#add(word, at);
    const second = secondName(word);
    if (second !== undefined) this.#add(second, at);
  }

  #add(term: string, at: number): void {
    if (this.#length + term.length + AROUND > units.length) this.#full = this.#taken();
    units[this.#length++] = QUOTE;
    this.#write(term);
    units[this.#length++] = QUOTE;
    units[this.#length++] = COLON;
    this.#write(String(at));
    units[this.#length++] = SPACE;
  }

  #write(text: string): void {
    for (let index = 0; index < text.length; index += 1) units[this.#length++] = text.charCodeAt(index);
  }

  /** Returns all terms so far, and empties the array. */
  #taken(): string {
    const rest = written.toString('utf16le', 0, 2 * this.#length);
    this.#length = 0;
    return this.#full + rest;
  }
}

/**
 * Returns the terms of a text, as a `tsvector` of PostgreSQL: only letters, digits, marks and `+ # . ~`, in
 * quotes. A word with accents has a second term beside the first. Characters of scripts without spaces appear
 * in pairs, and the last one of a run alone. Returns null for a text without terms.
 */
export function termsOf(text: string | null): string | null {
  if (text === null) return null;
  const terms = new TermWriter();
  splitInto(terms, text);
  return terms.end();
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
