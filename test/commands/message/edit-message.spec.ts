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

  test('a caption is removed from a message with files', () =>
    given(...group)
      .as(ada)
      .knowing({ message: { ...hello, hasFiles: true } })
      .when(editMessage, { ...edit, text: null })
      .then([event('MessageEdited', { groupId, messageId, text: null })]));

  test('removing a caption that is not there changes nothing', () =>
    given(...group)
      .as(ada)
      .knowing({ message: { ...hello, hasFiles: true, text: null } })
      .when(editMessage, { ...edit, text: null })
      .thenNothing());

  test('a message without files keeps a text', () =>
    given(...group)
      .as(ada)
      .knowing({ message: hello })
      .when(editMessage, { ...edit, text: null })
      .thenRejects('MESSAGE_EMPTY'));

  test('the same text again changes nothing', () =>
    given(...group)
      .as(ada)
      .knowing({ message: { ...hello, text: edit.text } })
      .when(editMessage, edit)
      .thenNothing());

  test.each([
    ['another member', bob],
    ['an admin', acme],
    ['the system', 'system' as const],
  ])('%s does not edit it', (_, actor) =>
    given(...group)
      .as(actor)
      .knowing({ message: hello })
      .when(editMessage, edit)
      .thenRejects('NOT_MESSAGE_AUTHOR'),
  );

  test('a deleted message is not edited', () =>
    given(...group)
      .as(ada)
      .knowing({ message: deleted })
      .when(editMessage, edit)
      .thenRejects('MESSAGE_DELETED'));

  test('a message that is not there is not found', () =>
    given(...group)
      .as(ada)
      .when(editMessage, edit)
      .thenRejects('MESSAGE_NOT_FOUND'));

  test('a stranger may not know that there is a group', () =>
    given(...group)
      .as(eve)
      .knowing({ message: hello })
      .when(editMessage, edit)
      .thenRejects('GROUP_NOT_FOUND'));

  test('its author, once removed, edits no more', () =>
    given(...group, removed(ada))
      .as(ada)
      .knowing({ message: hello })
      .when(editMessage, edit)
      .thenRejects('GROUP_NOT_FOUND'));

  test('a closed group stays as it is', () =>
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
