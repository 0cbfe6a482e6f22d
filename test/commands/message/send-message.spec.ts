import { fileOf } from '../../../src/commands/file/file.ts';
import { sendMessage } from '../../../src/commands/message/send-message.ts';
import { FileId, MessageId } from '../../../src/events/ids.ts';
import { commands } from '../../support/language/command-stage.ts';
import {
  acme,
  ada,
  bob,
  cleared,
  clientMsgId,
  eve,
  event,
  fileId,
  fileRefused,
  group,
  groupClosed,
  groupId,
  hello,
  helloSent,
  left,
  messageId,
  otherGroupId,
  removed,
  uploadRequested,
  uploaded,
  uuid,
} from '../../support/language/example-events.ts';
import { NOW, given, newIdNumber } from '../../support/language/given.ts';
import { happened } from '../../support/language/history.ts';

const message = { groupId, clientMsgId, text: 'Hello' };
const madeUp = MessageId.parse(newIdNumber(1));
const sent = event('MessageSent', { ...helloSent.data, messageId: madeUp });

describe('sending a message', () => {
  test('a member sends a message', () =>
    given(...group)
      .as(ada)
      .when(sendMessage, message)
      .then([sent]));

  test('an admin sends a message', () =>
    given(...group)
      .as(acme)
      .when(sendMessage, message)
      .then([event('MessageSent', { ...sent.data, senderId: acme.userId })]));

  test('a message replies to another one of the group', () =>
    given(...group)
      .as(ada)
      .knowing({ message: hello })
      .when(sendMessage, { ...message, replyTo: messageId })
      .then([event('MessageSent', { ...sent.data, replyTo: messageId })]));

  test('accepts a reply to a deleted message', () =>
    given(...group)
      .as(ada)
      .knowing({ message: { ...hello, isDeleted: true, text: null } })
      .when(sendMessage, { ...message, replyTo: messageId })
      .then([event('MessageSent', { ...sent.data, replyTo: messageId })]));

  test('rejects a reply to a message outside the group', () =>
    given(...group)
      .as(ada)
      .when(sendMessage, { ...message, replyTo: messageId })
      .thenRejects('REPLY_TARGET_NOT_FOUND'));

  const withFile = { groupId, clientMsgId, fileIds: [fileId] };
  const sentWithFile = event('MessageSent', { ...sent.data, text: null, fileIds: [fileId] });
  const second = FileId.parse(uuid(0x61));
  const about = (change: object) =>
    event('FileUploadRequested', { ...uploadRequested.data, ...change } as typeof uploadRequested.data);

  test.each([
    ['is on its way', []],
    ['is scanned', [uploaded]],
    ['is clean', [uploaded, cleared]],
  ])('a message names a file of its sender that %s', (_, history) =>
    given(...group, uploadRequested, ...history)
      .as(ada)
      .when(sendMessage, withFile)
      .then([sentWithFile]),
  );

  test('a message names several files, in its own order', () =>
    given(...group, uploadRequested, about({ fileId: second }))
      .as(ada)
      .when(sendMessage, { ...message, fileIds: [second, fileId] })
      .then([event('MessageSent', { ...sent.data, fileIds: [second, fileId] })]));

  test.each([
    ['does not exist', []],
    ['is another member’s', [about({ uploaderId: bob.userId })]],
    ['was uploaded for another group', [about({ groupId: otherGroupId })]],
  ])('rejects a file that %s', (_, history) =>
    given(...group, ...history)
      .as(ada)
      .when(sendMessage, withFile)
      .thenRejects('FILE_NOT_FOUND'),
  );

  test('rejects a message when one of its files may not be named', () =>
    given(...group, uploadRequested)
      .as(ada)
      .when(sendMessage, { ...withFile, fileIds: [fileId, second] })
      .thenRejects('FILE_NOT_FOUND'));

  test('rejects a refused file', () =>
    given(...group, uploadRequested, uploaded, fileRefused('infected', 'Eicar'))
      .as(ada)
      .when(sendMessage, withFile)
      .thenRejects('FILE_REFUSED'));

  test('accepts a file until its last millisecond, and rejects it afterwards', () => {
    given(...group, about({ sendBy: NOW.toISOString() }))
      .as(ada)
      .when(sendMessage, withFile)
      .then([sentWithFile]);
    given(...group, about({ sendBy: new Date(NOW.getTime() - 1).toISOString() }), uploaded, cleared)
      .as(ada)
      .when(sendMessage, withFile)
      .thenRejects('FILE_EXPIRED');
  });

  test('a repetition is the same message, even if the file was refused or expired meanwhile', async () => {
    const { handle, store } = await commands({ history: [...group, uploadRequested, uploaded] });
    const request = { actor: ada, correlationId: uuid(0xc0) };
    const input = sendMessage.input.parse(withFile);
    const first = await handle(sendMessage, input, request);
    await happened(store, fileRefused('infected', 'Eicar'));
    expect(await handle(sendMessage, input, request)).toStrictEqual({ ...first, duplicate: true });
  });

  test('rejects a file that is refused concurrently, by a guard of the log', async () => {
    const { handle, store, loader } = await commands({ history: [...group, uploadRequested, uploaded] });
    await loader.load(fileOf(fileId));
    await happened(store, fileRefused('infected', 'Eicar'));
    const sending = handle(sendMessage, sendMessage.input.parse(withFile), {
      actor: ada,
      correlationId: uuid(0xc0),
    });
    await expect(sending).rejects.toThrow('FILE_REFUSED');
  });

  test('records which version of a file a message relied on', async () => {
    const { handle } = await commands({ history: [...group, uploadRequested, uploaded] });
    const request = { actor: ada, correlationId: uuid(0xc0) };
    const { events } = await handle(sendMessage, sendMessage.input.parse(withFile), request);
    expect(events[0]!.metadata.reliedOn).toEqual({ [`chatGroup-${groupId}`]: 2, [`file-${fileId}`]: 1 });
  });

  test('reads only the group for a message without files', () =>
    expect(Object.keys(sendMessage.reads(sendMessage.input.parse(message), ada))).toEqual(['group']));

  test('hides the group from a stranger', () =>
    given(...group)
      .as(eve)
      .when(sendMessage, message)
      .thenRejects('GROUP_NOT_FOUND'));

  test.each([
    ['left', left(ada)],
    ['was removed', removed(ada)],
  ])('rejects a sender who %s', (_, going) =>
    given(...group, going)
      .as(ada)
      .when(sendMessage, message)
      .thenRejects('GROUP_NOT_FOUND'),
  );

  test('rejects a message to a group that does not exist', () =>
    given().as(ada).when(sendMessage, message).thenRejects('GROUP_NOT_FOUND'));

  test('rejects a message to a closed group', () =>
    given(...group, groupClosed)
      .as(ada)
      .when(sendMessage, message)
      .thenRejects('GROUP_CLOSED'));

  test('rejects a message of the system', () =>
    given(...group)
      .as('system')
      .when(sendMessage, message)
      .thenRejects('ROLE_NOT_ALLOWED'));

  test('a repetition is the same message', () =>
    given(...group)
      .as(ada)
      .when(sendMessage, message)
      .thenIdempotent());

  const accepts = (change: object) => sendMessage.input.safeParse({ ...message, ...change }).success;

  test('accepts 4,000 characters of any number of code units', () => {
    expect(accepts({ text: '👍'.repeat(4_000) })).toBe(true);
    expect(accepts({ text: '👍'.repeat(4_001) })).toBe(false);
  });

  test('requires a text or a file', () => {
    expect(accepts({ text: null, fileIds: [uuid(0x60)] })).toBe(true);
    expect(accepts({ text: null, fileIds: [] })).toBe(false);
    expect(accepts({ text: '' })).toBe(false);
  });

  test.each([
    ['a chosen sender', { senderId: acme.userId }],
    ['a NUL character', { text: 'a\u0000' }],
    ['a lone surrogate', { text: '\udc00' }],
    ['11 files', { fileIds: Array.from({ length: 11 }, (_, n) => uuid(n)) }],
    ['a file named twice', { fileIds: [uuid(1), uuid(1)] }],
    ['an invalid clientMsgId', { clientMsgId: '1' }],
  ])('rejects %s', (_, fault) => expect(accepts(fault)).toBe(false));
});
