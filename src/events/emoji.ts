import { text } from './text.ts';

const LENGTH = 16;
const VARIATION_SELECTOR = /\uFE0F/gu;
/** Characters that are shown as text by default. A digit, # and * are emoji only as the base of a keycap. */
const TEXT_BY_DEFAULT =
  /(?:(?![\d#*])(?!\p{Emoji_Presentation})\p{Emoji}(?!\p{Emoji_Modifier})|[\d#*](?=\u20E3))/gu;
const RECOMMENDED = /^\p{RGI_Emoji}$/v;
const PICTOGRAPH = /^\p{Extended_Pictographic}$/v;

/**
 * Returns the fully qualified form of an emoji (UTS #51, ED-18): every part that would be shown as text is
 * followed by a variation selector or a modifier. An emoji without such a form stays as it is. The data is
 * that of Node's ICU.
 */
export function fullyQualified(emoji: string): string {
  const bare = emoji.replace(VARIATION_SELECTOR, '');
  const qualified = bare.replace(TEXT_BY_DEFAULT, '$&\uFE0F');
  if (RECOMMENDED.test(qualified)) return qualified;
  return PICTOGRAPH.test(bare) ? bare : emoji;
}

/** An emoji in the log. It stays valid in all later versions of Unicode, and is read in one spelling. */
export const RecordedEmoji = text(1, LENGTH).overwrite(fullyQualified);

/** An emoji from a client: one grapheme of one or more code points. */
export const Emoji = RecordedEmoji.refine(
  (value) => RECOMMENDED.test(value) || PICTOGRAPH.test(value),
  'Must be a single emoji',
).meta({ description: 'One emoji of Unicode, in any of its spellings', example: '👍' });
