import { addReaction, removeReaction } from '../../../src/commands/message/react-to-message.ts';
import { Emoji } from '../../../src/events/emoji.ts';
import {
  ada,
  bob,
  eve,
  event,
  group,
  groupClosed,
  groupId,
  hello,
  messageId,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const thumb = { groupId, messageId, emoji: '👍' };
const added = event('ReactionAdded', { ...thumb, groupId, messageId, userId: bob.userId });
const taken = event('ReactionRemoved', { ...thumb, groupId, messageId, userId: bob.userId });
const liked = { ...hello, reactions: { '👍': [bob.userId] } };

describe('reacting to a message', () => {
  test('a member adds a reaction', () =>
    given(...group)
      .as(bob)
      .knowing({ message: hello })
      .when(addReaction, thumb)
      .then([added]));

  test('the author of a message may react to it', () =>
    given(...group)
      .as(ada)
      .knowing({ message: liked })
      .when(addReaction, thumb)
      .then([event('ReactionAdded', { ...added.data, userId: ada.userId })]));

  test('another emoji is a second reaction', () =>
    given(...group)
      .as(bob)
      .knowing({ message: liked })
      .when(addReaction, { ...thumb, emoji: '🎉' })
      .then([event('ReactionAdded', { ...added.data, emoji: '🎉' })]));

  test('adding a reaction again changes nothing', () =>
    given(...group)
      .as(bob)
      .knowing({ message: liked })
      .when(addReaction, thumb)
      .thenNothing());

  test('a member removes a reaction', () =>
    given(...group)
      .as(bob)
      .knowing({ message: liked })
      .when(removeReaction, thumb)
      .then([taken]));

  test('removing a missing reaction changes nothing', () =>
    given(...group)
      .as(ada)
      .knowing({ message: liked })
      .when(removeReaction, thumb)
      .thenNothing());

  const emojis = Array.from({ length: 21 }, (_, index) => String.fromCodePoint(0x1f600 + index));
  const reacted = (count: number) => ({
    ...hello,
    reactions: Object.fromEntries(
      emojis
        .slice(0, count)
        .map((emoji, index) => [emoji, index % 2 ? [bob.userId] : [ada.userId, bob.userId]]),
    ),
  });
  const last = { ...thumb, emoji: emojis[19]! };
  const further = { ...thumb, emoji: emojis[20]! };

  test('a member adds a twentieth reaction', () =>
    given(...group)
      .as(bob)
      .knowing({ message: reacted(19) })
      .when(addReaction, last)
      .then([event('ReactionAdded', { ...added.data, emoji: last.emoji })]));

  test('rejects a twenty-first reaction', () =>
    given(...group)
      .as(bob)
      .knowing({ message: reacted(20) })
      .when(addReaction, further)
      .thenRejects('TOO_MANY_REACTIONS'));

  test('does not count the reactions of others', () =>
    given(...group)
      .as(ada)
      .knowing({ message: reacted(20) })
      .when(addReaction, further)
      .then([event('ReactionAdded', { ...added.data, emoji: further.emoji, userId: ada.userId })]));

  test('adding one of twenty again changes nothing', () =>
    given(...group)
      .as(bob)
      .knowing({ message: reacted(20) })
      .when(addReaction, last)
      .thenNothing());

  test('one of more than twenty, from before the limit, is removed', () =>
    given(...group)
      .as(bob)
      .knowing({ message: reacted(21) })
      .when(removeReaction, further)
      .then([event('ReactionRemoved', { ...added.data, emoji: further.emoji })]));

  const both = [
    ['adds', addReaction, hello],
    ['removes', removeReaction, liked],
  ] as const;

  test.each(both)('a stranger %s no reaction, and learns nothing about the group', (_, command, message) =>
    given(...group)
      .as(eve)
      .knowing({ message })
      .when(command, thumb)
      .thenRejects('GROUP_NOT_FOUND'),
  );

  test.each(both)('a member %s no reaction to a message that does not exist', (_, command) =>
    given(...group)
      .as(bob)
      .when(command, thumb)
      .thenRejects('MESSAGE_NOT_FOUND'),
  );

  test.each(both)('a member %s no reaction to a deleted message', (_, command, message) =>
    given(...group)
      .as(bob)
      .knowing({ message: { ...message, isDeleted: true } })
      .when(command, thumb)
      .thenRejects('MESSAGE_DELETED'),
  );

  test.each(both)('a member %s no reaction in a closed group', (_, command, message) =>
    given(...group, groupClosed)
      .as(bob)
      .knowing({ message })
      .when(command, thumb)
      .thenRejects('GROUP_CLOSED'),
  );

  test.each(both)('only a person %s a reaction', (_, command, message) =>
    given(...group)
      .as('system')
      .knowing({ message })
      .when(command, thumb)
      .thenRejects('ROLE_NOT_ALLOWED'),
  );

  test.each(both)('a member who %s a reaction twice does so once', (_, command, message) =>
    given(...group)
      .as(bob)
      .knowing({ message })
      .when(command, thumb)
      .thenIdempotent(),
  );

  test.each(['👍', '❤️', '❤', '👨‍👩‍👧‍👦', '🏳️‍🌈', '🇬🇧', '1️⃣'])('accepts the emoji %s', (emoji) =>
    expect(Emoji.safeParse(emoji).success).toBe(true),
  );

  test.each(['', 'a', '1', '👍👍', '👍!', ':+1:', '__proto__', '\u0000'])('rejects "%s"', (emoji) =>
    expect(Emoji.safeParse(emoji).success).toBe(false),
  );
});
