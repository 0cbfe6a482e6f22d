/** The kinds of characters in a search, `SEPARATOR` to `JOINER`. */
export const SEPARATOR = 1;
/** A letter or digit of a word. */
export const WORD = 2;
/** An accent, a vowel sign or the like. It belongs to the character before it. */
export const MARK = 3;
/** A letter of a script that writes words without spaces between them, or with suffixes attached. */
export const UNSPACED = 4;
/** A character between two parts of a word, which is also written without it: `e-mail`, `O’Brien`, `col·legi`. */
export const JOINER = 5;

const UNSPACED_LETTER =
  /^[[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Bopo}\p{scx=Hang}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Yiii}]&&[\p{L}\p{Nl}]]$/v;
const LETTER_OR_NUMBER = /^[\p{L}\p{N}]$/u;
const COMBINING = /^[\p{Mn}\p{Mc}]$/u;
/** Hyphens, apostrophes and their substitutes, the zero-width non-joiner of Persian, the middle dot of Catalan. */
const JOINERS = new Set("-\u2010\u058a\u05be'`\u2018\u2019\u02bb\u02bc\u02bf\u05f3\u05f4\u200c\u00b7");

function classify(character: string): number {
  if (JOINERS.has(character)) return JOINER;
  if (UNSPACED_LETTER.test(character)) return UNSPACED;
  if (LETTER_OR_NUMBER.test(character)) return WORD;
  return COMBINING.test(character) ? MARK : SEPARATOR;
}

/** The kinds by code point, filled on first use. */
const KINDS = new Uint8Array(0x11_0000);

/** Returns the kind of a character, by its code point. */
export const kindOf = (codePoint: number): number =>
  KINDS[codePoint] || (KINDS[codePoint] = classify(String.fromCodePoint(codePoint)));

/** For words and short texts, a loop takes less time than a regular expression. */
export function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}

/**
 * Invisible characters, which programs put in different places. Only the two excluded ones separate or join
 * words.
 */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}--[\u200b\u200c]]/gv;
/** NFKC would turn the first two into letters, and the third, which is typed for an apostrophe, into a space. */
const SIGNS = /[\u2120\u2122\u00b4]/g;
/** The abbreviation mark of Hebrew as people type it. */
const GERSHAYIM = /(?<=\p{Script=Hebrew})"(?=\p{Script=Hebrew})/gu;
const SHARP = /\u266f/g;

/** The lower case of the capital with a dot, and of other letters that were typed with dots. */
const DOTTED = /i\u0307+/g;

const lowerCased = (text: string) => text.toLowerCase().toUpperCase().toLowerCase();

/**
 * Brings a text to the form in which texts and queries are compared: NFKC and full case folding (`ß` becomes
 * `ss`, all sigmas are the same, and so are all `i`, with and without a dot). A text in this form stays as it
 * is.
 */
export function normalized(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  const composed = text
    .replace(INVISIBLE, '')
    .replace(SIGNS, (sign) => (sign === '\u00b4' ? "'" : ' '))
    .replace(SHARP, '#')
    .normalize('NFKC');
  return lowerCased(composed)
    .replaceAll('ς', 'σ')
    .replace(DOTTED, 'i')
    .normalize('NFKC')
    .replace(GERSHAYIM, '\u05f4');
}

/** The longest beginning that is compared, in characters: one character may become eighteen. */
const BEGINNING = 100;

/** Returns the form in which the beginnings of names are compared. */
export const beginningOf = (name: string): string => [...normalized(name)].slice(0, BEGINNING).join('');

/**
 * Marks that are often left out: accents of Latin, Greek and Cyrillic, but not the breve of `й` and `ў`,
 * which are letters of their own; the vowels, hamza and tatweel of Arabic; the points of Hebrew. Vowel signs
 * of Indic scripts are not included, because leaving them out changes the word.
 */
const OPTIONAL_MARKS =
  /(?<![иу])\u0306|\u0640|[\u0300-\u0305\u0307-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]/gu;

/** Letters without a decomposition. */
const LETTERS: Readonly<Record<string, string>> = {
  ł: 'l',
  ø: 'o',
  đ: 'd',
  æ: 'ae',
  œ: 'oe',
  þ: 'th',
  ð: 'd',
  ħ: 'h',
  ŧ: 't',
  ŋ: 'n',
  ə: 'e',
  ґ: 'г',
  ى: 'ي',
  ی: 'ي',
  ې: 'ي',
  ک: 'ك',
  ة: 'ه',
  ہ: 'ه',
  ھ: 'ه',
  ە: 'ه',
  ٱ: 'ا',
};
const FOLDABLE = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'g');
const FOREIGN_DIGIT = /(?![0-9])\p{Nd}/gu;

/** Returns the ASCII digit of the same value. Digits come in rows of ten, in order. */
function asciiDigit(digit: string): string {
  let zero = digit.codePointAt(0)!;
  const value = zero;
  while (value - zero < 9 && /^\p{Nd}$/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return String(value - zero);
}

/** Returns a word of a normalized text as it is typed without accents. */
export function unaccented(word: string): string {
  if (isAscii(word)) return word;
  return word
    .normalize('NFD')
    .replace(OPTIONAL_MARKS, '')
    .replace(FOLDABLE, (letter) => LETTERS[letter]!)
    .replace(FOREIGN_DIGIT, asciiDigit)
    .normalize('NFC');
}
