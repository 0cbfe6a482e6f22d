import { deleteMessage } from '../../../src/commands/message/delete-message.ts';
import {
  acme,
  ada,
  bob,
  eve,
  event,
  group,
  groupClosed,
  groupId,
  hello,
  messageId,
  removed,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const deletion = { groupId, messageId };
const deleted = event('MessageDeleted', { groupId, messageId });
const gone = { ...hello, isDeleted: true, text: null };

describe('deleting a message', () => {
  test.each([
    ['its author', ada],
    ['an admin', acme],
    ['the system', 'system' as const],
  ])('%s deletes it', (_, actor) =>
    given(...group)
      .as(actor)
      .knowing({ message: hello })
      .when(deleteMessage, deletion)
      .then([deleted]),
  );

  test.each([
    ['its author', ada],
    ['an admin', acme],
  ])('%s may delete it in a closed group', (_, actor) =>
    given(...group, groupClosed)
      .as(actor)
      .knowing({ message: hello })
      .when(deleteMessage, deletion)
      .then([deleted]),
  );

  test('deleting again changes nothing', () =>
    given(...group)
      .as(ada)
      .knowing({ message: gone })
      .when(deleteMessage, deletion)
      .thenNothing());

  test.each([
    ['a message', hello],
    ['a deleted message', gone],
  ])('rejects a deletion of %s by another member', (_, message) =>
    given(...group)
      .as(bob)
      .knowing({ message })
      .when(deleteMessage, deletion)
      .thenRejects('NOT_MESSAGE_AUTHOR'),
  );

  test('rejects the deletion of a message that does not exist', () =>
    given(...group)
      .as(acme)
      .when(deleteMessage, deletion)
      .thenRejects('MESSAGE_NOT_FOUND'));

  test('hides the group from a stranger', () =>
    given(...group)
      .as(eve)
      .knowing({ message: hello })
      .when(deleteMessage, deletion)
      .thenRejects('GROUP_NOT_FOUND'));

  test('rejects a deletion by its author after the removal', () =>
    given(...group, removed(ada))
      .as(ada)
      .knowing({ message: hello })
      .when(deleteMessage, deletion)
      .thenRejects('GROUP_NOT_FOUND'));

  test('a repetition is the same deletion', () =>
    given(...group)
      .as(ada)
      .knowing({ message: hello })
      .when(deleteMessage, deletion)
      .thenIdempotent());
});
