import { sendMessage } from '../../../src/commands/message/send-message.ts';
import {
  acme,
  ada,
  clientMsgId,
  eve,
  event,
  group,
  groupClosed,
  groupId,
  hello,
  helloSent,
  left,
  messageId,
  removed,
  uuid,
} from '../../support/example-events.ts';
import { given, newIdNumber } from '../../support/given.ts';
import { MessageId } from '../../../src/events/ids.ts';

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

  test('what the group does not have is not answered', () =>
    given(...group)
      .as(ada)
      .when(sendMessage, { ...message, replyTo: messageId })
      .thenRejects('REPLY_TARGET_NOT_FOUND'));

  test('files are not here yet', () =>
    given(...group)
      .as(ada)
      .when(sendMessage, { ...message, fileIds: [uuid(0x60)] })
      .thenRejects('FILE_NOT_FOUND'));

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
    ['11 files', { fileIds: Array(11).fill(uuid(1)) }],
    ['a clientMsgId that is no UUID', { clientMsgId: '1' }],
  ])('%s is not a message', (_, fault) => expect(accepts(fault)).toBe(false));
});
