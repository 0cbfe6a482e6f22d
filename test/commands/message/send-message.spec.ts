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

  test('a message answers another one of the group', () =>
    given(...group)
      .as(ada)
      .knowing({ message: hello })
      .when(sendMessage, { ...message, replyTo: messageId })
      .then([event('MessageSent', { ...sent.data, replyTo: messageId })]));

  test('a deleted message may still be answered: it keeps its place', () =>
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

  test('a message names several files, in an order of its own', () =>
    given(...group, uploadRequested, about({ fileId: second }))
      .as(ada)
      .when(sendMessage, { ...message, fileIds: [second, fileId] })
      .then([event('MessageSent', { ...sent.data, fileIds: [second, fileId] })]));

  test.each([
    ['is not there', []],
    ['is another member’s', [about({ uploaderId: bob.userId })]],
    ['was uploaded for another group', [about({ groupId: otherGroupId })]],
  ])('a file that %s is not named', (_, history) =>
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

  test('a refused file is not named', () =>
    given(...group, uploadRequested, uploaded, fileRefused('infected', 'Eicar'))
      .as(ada)
      .when(sendMessage, withFile)
      .thenRejects('FILE_REFUSED'));

  test('a file may be named until the last millisecond, and not one later', () => {
    given(...group, about({ sendBy: NOW.toISOString() }))
      .as(ada)
      .when(sendMessage, withFile)
      .then([sentWithFile]);
    given(...group, about({ sendBy: new Date(NOW.getTime() - 1).toISOString() }), uploaded, cleared)
      .as(ada)
      .when(sendMessage, withFile)
      .thenRejects('FILE_EXPIRED');
  });

  test('a repetition is the same message, though the file was refused or ran out meanwhile', async () => {
    const { handle, store } = await commands({ history: [...group, uploadRequested, uploaded] });
    const request = { actor: ada, correlationId: uuid(0xc0) };
    const input = sendMessage.input.parse(withFile);
    const first = await handle(sendMessage, input, request);
    await happened(store, fileRefused('infected', 'Eicar'));
    expect(await handle(sendMessage, input, request)).toStrictEqual({ ...first, duplicate: true });
  });

  test('a file that is refused while the message is on its way is not sent: the log itself says no', async () => {
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

  test('a message without files reads nothing but the group', () =>
    expect(Object.keys(sendMessage.reads(sendMessage.input.parse(message), ada))).toEqual(['group']));

  test('a stranger may not know that there is a group', () =>
    given(...group)
      .as(eve)
      .when(sendMessage, message)
      .thenRejects('GROUP_NOT_FOUND'));

  test.each([
    ['left', left(ada)],
    ['was removed', removed(ada)],
  ])('who %s sends nothing', (_, going) =>
    given(...group, going)
      .as(ada)
      .when(sendMessage, message)
      .thenRejects('GROUP_NOT_FOUND'),
  );

  test('a group that is not there takes nothing', () =>
    given().as(ada).when(sendMessage, message).thenRejects('GROUP_NOT_FOUND'));

  test('a closed group takes nothing', () =>
    given(...group, groupClosed)
      .as(ada)
      .when(sendMessage, message)
      .thenRejects('GROUP_CLOSED'));

  test('only people send messages', () =>
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

  test('4,000 characters are a message, however many units they take', () => {
    expect(accepts({ text: '👍'.repeat(4_000) })).toBe(true);
    expect(accepts({ text: '👍'.repeat(4_001) })).toBe(false);
  });

  test('a message has a text or a file', () => {
    expect(accepts({ text: null, fileIds: [uuid(0x60)] })).toBe(true);
    expect(accepts({ text: null, fileIds: [] })).toBe(false);
    expect(accepts({ text: '' })).toBe(false);
  });

  test.each([
    ['a sender of its choice', { senderId: acme.userId }],
    ['a NUL character', { text: 'a\u0000' }],
    ['a lone surrogate', { text: '\udc00' }],
    ['11 files', { fileIds: Array.from({ length: 11 }, (_, n) => uuid(n)) }],
    ['a file named twice', { fileIds: [uuid(1), uuid(1)] }],
    ['a clientMsgId that is no UUID', { clientMsgId: '1' }],
  ])('%s is not a message', (_, fault) => expect(accepts(fault)).toBe(false));
});
