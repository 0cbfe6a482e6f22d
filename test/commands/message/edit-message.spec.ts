import { editMessage } from '../../../src/commands/message/edit-message.ts';
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

const edit = { groupId, messageId, text: 'Hello, all' };
const edited = event('MessageEdited', { groupId, messageId, text: 'Hello, all' });
const deleted = { ...hello, isDeleted: true, text: null };

describe('editing a message', () => {
  test('its author edits it', () =>
    given(...group)
      .as(ada)
      .knowing({ message: hello })
      .when(editMessage, edit)
      .then([edited]));

  test('removes the caption of a message with files', () =>
    given(...group)
      .as(ada)
      .knowing({ message: { ...hello, hasFiles: true } })
      .when(editMessage, { ...edit, text: null })
      .then([event('MessageEdited', { groupId, messageId, text: null })]));

  test('changes nothing when a missing caption is removed', () =>
    given(...group)
      .as(ada)
      .knowing({ message: { ...hello, hasFiles: true, text: null } })
      .when(editMessage, { ...edit, text: null })
      .thenNothing());

  test('rejects the removal of the text of a message without files', () =>
    given(...group)
      .as(ada)
      .knowing({ message: hello })
      .when(editMessage, { ...edit, text: null })
      .thenRejects('MESSAGE_EMPTY'));

  test('changes nothing when the text is the same', () =>
    given(...group)
      .as(ada)
      .knowing({ message: { ...hello, text: edit.text } })
      .when(editMessage, edit)
      .thenNothing());

  test.each([
    ['another member', bob],
    ['an admin', acme],
    ['the system', 'system' as const],
  ])('rejects an edit by %s', (_, actor) =>
    given(...group)
      .as(actor)
      .knowing({ message: hello })
      .when(editMessage, edit)
      .thenRejects('NOT_MESSAGE_AUTHOR'),
  );

  test('rejects an edit of a deleted message', () =>
    given(...group)
      .as(ada)
      .knowing({ message: deleted })
      .when(editMessage, edit)
      .thenRejects('MESSAGE_DELETED'));

  test('rejects an edit of a message that does not exist', () =>
    given(...group)
      .as(ada)
      .when(editMessage, edit)
      .thenRejects('MESSAGE_NOT_FOUND'));

  test('hides the group from a stranger', () =>
    given(...group)
      .as(eve)
      .knowing({ message: hello })
      .when(editMessage, edit)
      .thenRejects('GROUP_NOT_FOUND'));

  test('rejects an edit by its author after the removal', () =>
    given(...group, removed(ada))
      .as(ada)
      .knowing({ message: hello })
      .when(editMessage, edit)
      .thenRejects('GROUP_NOT_FOUND'));

  test('rejects an edit in a closed group', () =>
    given(...group, groupClosed)
      .as(ada)
      .knowing({ message: hello })
      .when(editMessage, edit)
      .thenRejects('GROUP_CLOSED'));

  test('a repetition is the same edit', () =>
    given(...group)
      .as(ada)
      .knowing({ message: hello })
      .when(editMessage, edit)
      .thenIdempotent());
});
