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
/** A compound written as one word: `fullstack` for `full-stack`, made of the tokens from `first` to `last`. */
interface Compound {
  first: number;
  last: number;
  word: string;
}
export interface Tokens {
  tokens: (Word | Run)[];
  compounds: Compound[];
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
/** After these, `.net` is the platform; after other words it is the end of an address. */
const BEFORE_NET = new Set(['asp', 'ado', 'vb']);

/**
 * Splits a text: every letter and digit belongs to a word or a run; everything else separates them, in any
 * script. Things that people type as one word, such as `node.js` or `l’entreprise`, become consecutive words.
 */
export function tokensOf(text: string): Tokens {
  const source = normalized(text).slice(0, MAX_LENGTH);
  const { length } = source;
  const tokens: (Word | Run)[] = [];
  const compounds: Compound[] = [];
  let at = 1;
  let index = 0;
  /** The end of the last word, and the first token of its compound. */
  let end = -1;
  let first = 0;

  const kindAt = (place: number) => (place < length ? kindOf(source.codePointAt(place)!) : SEPARATOR);
  const widthAt = (place: number) => (source.codePointAt(place)! > 0xff_ff ? 2 : 1);
  const skipMarks = (from: number) => {
    let place = from;
    while (kindAt(place) === MARK) place += widthAt(place);
    return place;
  };
  const isDigit = (place: number) => /[0-9]/.test(source.charAt(place));

  /** Ends the compound that began at `first`. */
  const closeCompound = () => {
    const last = tokens.length - 1;
    if (last <= first) return;
    const parts = tokens.slice(first).map((token) => ('word' in token ? (token.also ?? token.word) : ''));
    compounds.push({ first, last, word: cut(parts.join('')) });
    // A single letter at the start is also known without the hyphen: E-Mail in E-Mail-Adresse.
    if (parts.length > 2 && parts[0]!.length === 1)
      compounds.push({ first, last: first + 1, word: cut(parts[0]! + parts[1]!) });
  };

  /** Returns true if a word that starts here continues a compound: after a single joiner, or the dot of `node.js`. */
  const isJoined = (start: number, word: string) =>
    end >= 0 &&
    start === end + 1 &&
    (kindAt(end) === JOINER || (word === 'js' && source.charCodeAt(end) === DOT));

  const takeWord = () => {
    const start = index;
    while (kindAt(index) === WORD || kindAt(index) === MARK) index += widthAt(index);
    const word = source.slice(start, index);
    const token = named(start, word);
    if (!isJoined(start, word)) {
      closeCompound();
      first = tokens.length;
    }
    tokens.push(token);
    at += 1;
    end = index;
  };

  /**
   * Returns the token of a word. `C++` and `C#` are different words from `C`; `.NET` is one where it is not
   * part of an address.
   */
  const named = (start: number, word: string): Word => {
    if (source.charCodeAt(index) === PLUS && source.charCodeAt(index + 1) === PLUS) {
      index += 2;
      return word.length === 1 ? { at, word: `${word}++` } : { at, word: cut(`${word}++`), also: cut(word) };
    }
    if (
      word.length === 1 &&
      source.charCodeAt(index) === SHARP &&
      (kindAt(index + 1) !== WORD || isDigit(index + 1))
    ) {
      index += 1;
      return { at, word: `${word}#` };
    }
    if (word === 'net' && source.charCodeAt(start - 1) === DOT && isPlatform(start - 1))
      return { at, word: '.net', also: 'net' };
    return { at, word: cut(word) };
  };

  const isPlatform = (dot: number) => {
    if (end !== dot) return true;
    const before = tokens.at(-1)!;
    return 'word' in before && (BEFORE_NET.has(before.word) || /[+#]$/.test(before.word));
  };

  const takeRun = () => {
    const units: string[] = [];
    while (kindAt(index) === UNSPACED) {
      const start = index;
      index = skipMarks(index + widthAt(index));
      units.push(cut(source.slice(start, index)));
    }
    closeCompound();
    tokens.push({ at, units });
    first = tokens.length;
    at += units.length;
    end = -1;
  };

  while (index < length) {
    const kind = kindAt(index);
    if (kind === WORD) takeWord();
    else if (kind === UNSPACED) takeRun();
    else index += widthAt(index);
  }
  closeCompound();
  return { tokens, compounds };
}
