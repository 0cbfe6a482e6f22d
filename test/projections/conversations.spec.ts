import { ClientMsgId, MessageId } from '../../src/events/ids.ts';
import { conversations } from '../../src/projections/conversations.ts';
import { ada, bob, event, groupId, otherGroupId, uuid } from '../support/example-events.ts';
import { at, stage } from '../support/projection.ts';

const { open, close, given } = stage(conversations);
beforeAll(open);
afterAll(close);

const message = (n: number) => MessageId.parse(uuid(0x400 + n));
const sent = (n: number, by = ada, text: string | null = `message ${n}`, group = groupId) =>
  event('MessageSent', {
    groupId: group,
    messageId: message(n),
    senderId: by.userId,
    clientMsgId: ClientMsgId.parse(uuid(0x500 + n)),
    text,
    fileIds: [],
    replyTo: null,
  });
const edited = (n: number, text: string) => event('MessageEdited', { groupId, messageId: message(n), text });
const deleted = (n: number) => event('MessageDeleted', { groupId, messageId: message(n) });
const reacted = (n: number, emoji = '👍', by = bob) =>
  event('ReactionAdded', { groupId, messageId: message(n), userId: by.userId, emoji });
const unreacted = (n: number, emoji = '👍', by = bob) =>
  event('ReactionRemoved', { groupId, messageId: message(n), userId: by.userId, emoji });

const text = 'seq, text, edited_at is not null as edited, deleted_at is not null as deleted, changed_seq';
const reactions = 'emoji, user_id, seq';

describe('the conversations read model', () => {
  test('counts the messages of each group, and of each sender in it', () =>
    given(sent(1), sent(2, bob), sent(3), sent(4, ada, 'x', otherGroupId)).then(
      'messages',
      'group_id, seq, sender_id, ordinal, sender_ordinal',
      [
        { group_id: groupId, seq: 1, sender_id: ada.userId, ordinal: 1, sender_ordinal: 1 },
        { group_id: groupId, seq: 2, sender_id: bob.userId, ordinal: 2, sender_ordinal: 1 },
        { group_id: groupId, seq: 3, sender_id: ada.userId, ordinal: 3, sender_ordinal: 2 },
        { group_id: otherGroupId, seq: 1, sender_id: ada.userId, ordinal: 1, sender_ordinal: 1 },
      ],
    ));

  test('knows the head, the count and the last message of each group', () =>
    given(sent(1), sent(2, bob), edited(1, 'new'), reacted(2), sent(3, ada, 'x', otherGroupId)).then(
      'conversations',
      'group_id, head_seq, message_count, last_message_id, last_position',
      [
        { group_id: groupId, head_seq: 4, message_count: 2, last_message_id: message(2), last_position: 2 },
        {
          group_id: otherGroupId,
          head_seq: 1,
          message_count: 1,
          last_message_id: message(3),
          last_position: 5,
        },
      ],
    ));

  test('ordinals count messages only, whatever else happens between them', () =>
    given(sent(1), edited(1, 'new'), sent(2), reacted(1), sent(3)).then(
      'messages',
      'seq, ordinal, sender_ordinal',
      [
        { seq: 1, ordinal: 1, sender_ordinal: 1 },
        { seq: 3, ordinal: 2, sender_ordinal: 2 },
        { seq: 5, ordinal: 3, sender_ordinal: 3 },
      ],
    ));

  test('text is kept as it was written', () =>
    given(
      sent(1, ada, 'a "quoted", {braced} \\ NULL, 👩‍💻\nline'),
      sent(2, ada, 'NULL'),
      sent(3, ada, null),
    ).then('messages', 'seq, text', [
      { seq: 1, text: 'a "quoted", {braced} \\ NULL, 👩‍💻\nline' },
      { seq: 2, text: 'NULL' },
      { seq: 3, text: null },
    ]));

  test('of many edits the last one stands', () =>
    given(sent(1), edited(1, 'one'), edited(1, 'two'), edited(1, 'three')).then(
      'messages',
      'text, edited_at, changed_seq',
      [{ text: 'three', edited_at: new Date(at(4)), changed_seq: 4 }],
    ));

  test('a deleted message keeps its place without its text', () =>
    given(sent(1), sent(2), edited(1, 'new'), deleted(1)).then('messages', text, [
      { seq: 1, text: null, edited: true, deleted: true, changed_seq: 4 },
      { seq: 2, text: 'message 2', edited: false, deleted: false, changed_seq: 2 },
    ]));

  test('a late edit of a deleted message changes nothing', () =>
    given(sent(1), deleted(1), edited(1, 'too late'), deleted(1), reacted(1)).then('messages', text, [
      { seq: 1, text: null, edited: false, deleted: true, changed_seq: 2 },
    ]));

  test('reactions stand in the order in which they came', () =>
    given(sent(1), reacted(1), reacted(1, '🎉'), reacted(1, '👍', ada), reacted(1)).then(
      'reactions',
      reactions,
      [
        { emoji: '🎉', user_id: bob.userId, seq: 3 },
        { emoji: '👍', user_id: ada.userId, seq: 4 },
        { emoji: '👍', user_id: bob.userId, seq: 2 },
      ],
    ));

  test('a reaction that was taken back and given again is a new one', () =>
    given(sent(1), reacted(1), unreacted(1), reacted(1), reacted(1)).then('reactions', reactions, [
      { emoji: '👍', user_id: bob.userId, seq: 4 },
    ]));

  test('a reaction that was taken back is gone', () =>
    given(sent(1), reacted(1), unreacted(1), unreacted(1, '🎉')).then('reactions', reactions, []));

  test('a deleted message loses its reactions and takes no more', () =>
    given(sent(1), reacted(1), deleted(1), reacted(1, '🎉'), unreacted(1)).then('reactions', reactions, []));

  test('an edit between reactions disturbs neither', () =>
    given(sent(1), reacted(1), edited(1, 'new'), reacted(1, '🎉'), unreacted(1)).then(
      'reactions',
      reactions,
      [{ emoji: '🎉', user_id: bob.userId, seq: 4 }],
    ));

  test('what is said about a message of another group changes nothing', () =>
    given(sent(1, ada, 'x', otherGroupId), edited(1, 'foreign'), reacted(1)).then('messages', text, [
      { seq: 1, text: 'x', edited: false, deleted: false, changed_seq: 1 },
    ]));
});
