import { JOINER, MARK, SEPARATOR, UNSPACED, WORD, kindOf, normalized } from './characters.ts';

/** A word of a text and its position, from 1. */
export interface Word {
  at: number;
  word: string;
  /** A second term of the word: `net` for `.net`. */
  also?: string;
}
/** Characters of a script without spaces, each with its marks, the first of them at `at`. */
export interface Run {
  at: number;
  units: string[];
}
/**
 * A compound written as one word: `fullstack` for `full-stack`, made of the tokens from `first` to `last`. It
 * begins at `at`.
 */
export interface Compound {
  at: number;
  first: number;
  last: number;
  word: string;
}
export interface Tokens {
  tokens: (Word | Run)[];
  compounds: Compound[];
}

/** Takes the tokens of a text in order, each as the arguments of a call, because objects would cost more than the rest. */
export interface TokenSink {
  word(at: number, word: string, also: string | undefined): void;
  run(at: number, units: string[]): void;
  /** Follows the tokens of the compound. */
  compound(compound: Compound): void;
}

/** Longer words are cut to this length. PostgreSQL takes 2,046 bytes. */
const LONGEST = 64;
/**
 * Text beyond this length is not found. The terms of any text stay below the 1 MB that PostgreSQL takes; a
 * job has 10,400 characters.
 */
const MAX_LENGTH = 50_000;

function cut(word: string): string {
  if (word.length <= LONGEST) return word;
  const kept = word.slice(0, LONGEST);
  return kept.isWellFormed() ? kept : kept.slice(0, -1);
}

const [PLUS, SHARP, DOT] = [0x2b, 0x23, 0x2e];
const [ZERO, NINE] = [0x30, 0x39];
/** After these, `.net` is the platform; after other words it is the end of an address. */
const BEFORE_NET = new Set(['asp', 'ado', 'vb']);

/**
 * Splits a text: every letter and digit belongs to a word or a run; everything else separates them, in any
 * script. Things that people type as one word, such as `node.js` or `l’entreprise`, become consecutive words.
 */
class Splitter {
  readonly #source: string;
  readonly #sink: TokenSink;
  #index = 0;
  /** The number of tokens so far, and the position of the next. */
  #count = 0;
  #at = 1;
  /** The last word and its end; the end is -1 after a run. */
  #word = '';
  #end = -1;
  /** The compound that the next word may continue: its first token, the position of that, and its parts as one word. */
  #first = 0;
  #firstAt = 1;
  #joined = '';
  /** The first two parts of the compound as one word, if the first is a single letter. */
  #initial: string | undefined;

  constructor(source: string, sink: TokenSink) {
    this.#source = source;
    this.#sink = sink;
  }

  split(): void {
    while (this.#index < this.#source.length) {
      const kind = this.#kindAt(this.#index);
      if (kind === WORD) this.#takeWord();
      else if (kind === UNSPACED) this.#takeRun();
      else this.#step();
    }
    this.#closeCompound();
  }

  #kindAt(place: number): number {
    return place < this.#source.length ? kindOf(this.#source.codePointAt(place)!) : SEPARATOR;
  }

  #step(): void {
    this.#index += this.#source.codePointAt(this.#index)! > 0xff_ff ? 2 : 1;
  }

  #takeWord(): void {
    const start = this.#index;
    for (let kind = WORD; kind === WORD || kind === MARK; kind = this.#kindAt(this.#index)) this.#step();
    const letters = this.#source.slice(start, this.#index);
    const signs = this.#signsAfter(letters);
    const isNet = signs === '' && letters === 'net' && this.#isPlatform(start - 1);
    const word = isNet ? '.net' : cut(letters + signs);
    const also = isNet || (signs !== '' && letters.length > 1) ? cut(letters) : undefined;
    if (this.#isJoined(start, letters)) this.#continueCompound(also ?? word);
    else this.#beginCompound(also ?? word);
    this.#sink.word(this.#at, word, also);
    this.#index += signs.length;
    this.#count += 1;
    this.#at += 1;
    this.#word = word;
    this.#end = this.#index;
  }

  /** Returns the signs that belong to the word before them: `C++` and `C#` are different words from `C`. */
  #signsAfter(letters: string): '' | '++' | '#' {
    const sign = this.#source.charCodeAt(this.#index);
    const next = this.#source.charCodeAt(this.#index + 1);
    if (sign === PLUS && next === PLUS) return '++';
    if (sign !== SHARP || letters.length !== 1) return '';
    const isDigit = next >= ZERO && next <= NINE;
    return isDigit || this.#kindAt(this.#index + 1) !== WORD ? '#' : '';
  }

  /** Returns true if a `net` after this place is `.NET`: there is a dot, and it is not part of an address. */
  #isPlatform(place: number): boolean {
    if (this.#source.charCodeAt(place) !== DOT) return false;
    return this.#end !== place || BEFORE_NET.has(this.#word) || /[+#]$/.test(this.#word);
  }

  /** Returns true if a word that starts here continues a compound: after a single joiner, or the dot of `node.js`. */
  #isJoined(start: number, letters: string): boolean {
    const end = this.#end;
    if (end < 0 || start !== end + 1) return false;
    return this.#kindAt(end) === JOINER || (letters === 'js' && this.#source.charCodeAt(end) === DOT);
  }

  #beginCompound(part: string): void {
    this.#closeCompound();
    this.#first = this.#count;
    this.#firstAt = this.#at;
    this.#joined = part;
    this.#initial = undefined;
  }

  #continueCompound(part: string): void {
    const isSecond = this.#count === this.#first + 1;
    const isAfterLetter = isSecond && this.#joined.length === 1;
    this.#joined += part;
    if (isAfterLetter) this.#initial = this.#joined;
  }

  #closeCompound(): void {
    const first = this.#first;
    const last = this.#count - 1;
    if (last <= first) return;
    const at = this.#firstAt;
    this.#sink.compound({ at, first, last, word: cut(this.#joined) });
    // A single letter at the start is also known without the hyphen: E-Mail in E-Mail-Adresse.
    if (this.#initial !== undefined && last > first + 1)
      this.#sink.compound({ at, first, last: first + 1, word: cut(this.#initial) });
  }

  #takeRun(): void {
    const units: string[] = [];
    while (this.#kindAt(this.#index) === UNSPACED) {
      const start = this.#index;
      for (let kind = MARK; kind === MARK; kind = this.#kindAt(this.#index)) this.#step();
      units.push(cut(this.#source.slice(start, this.#index)));
    }
    this.#closeCompound();
    this.#sink.run(this.#at, units);
    this.#count += 1;
    this.#first = this.#count;
    this.#at += units.length;
    this.#end = -1;
  }
}

/** Gives the tokens of a text to a sink. */
export function splitInto(sink: TokenSink, text: string): void {
  new Splitter(normalized(text).slice(0, MAX_LENGTH), sink).split();
}

/** Returns the tokens of a text. */
export function tokensOf(text: string): Tokens {
  const tokens: (Word | Run)[] = [];
  const compounds: Compound[] = [];
  splitInto(
    {
      word: (at, word, also) => tokens.push({ at, word, ...(also !== undefined && { also }) }),
      run: (at, units) => tokens.push({ at, units }),
      compound: (compound) => compounds.push(compound),
    },
    text,
  );
  return { tokens, compounds };
}
