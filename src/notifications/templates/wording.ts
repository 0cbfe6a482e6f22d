/**
 * Marks that change the direction of the text after them (UAX #9): in a name they would garble the sentence
 * around it.
 */
const DIRECTION_MARKS = /[\u202A-\u202E\u2066-\u2069]/g;
/** All control characters except tab and line feed. */
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Shortens text to at most `max` UTF-16 units, cut between graphemes (UAX #29). An ellipsis replaces the rest. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  let end = 0;
  for (const { index, segment } of graphemes.segment(text.slice(0, max + 64))) {
    if (index + segment.length > max - 1) break;
    end = index + segment.length;
  }
  return `${text.slice(0, end).trimEnd()}…`;
}

/** Returns text of a user on one line, for a subject, a heading, or the middle of a sentence. */
export const oneLine = (text: string, max = 80): string =>
  cut(
    text
      .replace(DIRECTION_MARKS, '')
      .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
      .trim(),
    max,
  ) || '?';

/**
 * Returns a name of which mail programs make no link, because a letter to a stranger must not lead where its sender
 * wants: a space follows every mark inside a word that addresses have.
 */
export const unlinked = (name: string): string =>
  name.replace(/(?<=\S)[.\u3002\uFF0E\uFF61:@/\\]+(?=\S)/gu, '$& ');

/** Returns text of a user with its line breaks. */
export const paragraphs = (text: string, max = 1_000): string =>
  cut(
    text
      .replace(/\r\n?|\u2028|\u2029/g, '\n')
      .replace(CONTROLS, '')
      .replace(DIRECTION_MARKS, '')
      .trim(),
    max,
  );

/** Quotes text as in plain-text mail, so that no line of it can be mistaken for the letter's own. */
export const quoted = (text: string): string =>
  text
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n');

/** Returns a number with its noun: `1 message`, `2 messages`. */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
