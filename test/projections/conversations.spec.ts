import { conversations } from '../../src/projections/conversations.ts';
import {
  deleted,
  edited,
  messageNumber,
  reacted,
  said,
  unreacted,
} from '../support/language/conversation.ts';
import {
  acme,
  ada,
  bob,
  groupCreated,
  groupId,
  joined,
  left,
  otherGroupId,
  uuid,
} from '../support/language/example-events.ts';
import { at, stage } from '../support/language/projection.ts';

const { open, close, given } = stage(conversations);
beforeAll(open);
afterAll(close);

const text = 'seq, text, edited_at is not null as edited, deleted_at is not null as deleted, changed_seq';
const reactions = 'emoji, user_id, seq';

describe('the conversations read model', () => {
  test('counts the messages of each group', () =>
    given(said(1), said(2, bob), said(3), said(4, ada, 'x', otherGroupId)).then(
      'messages',
      'group_id, seq, sender_id, client_msg_id, ordinal',
      [
        ...[1, 2, 3].map((n) => ({
          ...{ group_id: groupId, seq: n, sender_id: (n === 2 ? bob : ada).userId },
          ...{ client_msg_id: uuid(0x50_0000 + n), ordinal: n },
        })),
        {
          ...{ group_id: otherGroupId, seq: 1, sender_id: ada.userId },
          ...{ client_msg_id: uuid(0x50_0004), ordinal: 1 },
        },
      ],
    ));

  test('counts the messages of each member in each group', () =>
    given(said(1), said(2, bob), edited(1, 'new'), said(3), said(4, ada, 'x', otherGroupId)).then(
      'participants',
      'group_id, user_id, sent',
      [
        { group_id: groupId, user_id: ada.userId, sent: 2 },
        { group_id: groupId, user_id: bob.userId, sent: 1 },
        { group_id: otherGroupId, user_id: ada.userId, sent: 1 },
      ],
    ));

  test('dates the membership of each member, whatever roles it gets since', () =>
    given(
      groupCreated,
      said(1, acme),
      said(2, acme),
      joined(ada),
      said(3),
      joined(ada, 'admin'),
      left(ada),
      said(4, acme),
      joined(ada),
      said(5),
    ).then('participants', 'user_id, is_in, sent, from_seq, from_total, from_own', [
      { user_id: acme.userId, is_in: true, sent: 3, from_seq: 0, from_total: 0, from_own: 0 },
      { user_id: ada.userId, is_in: true, sent: 2, from_seq: 4, from_total: 4, from_own: 1 },
    ]));

  test('has the head, the count and the last message of each group', () =>
    given(said(1), said(2, bob), edited(1, 'new'), reacted(2), said(3, ada, 'x', otherGroupId)).then(
      'conversations',
      'group_id, head_seq, message_count, last_message_id, last_position',
      [
        {
          group_id: groupId,
          head_seq: 4,
          message_count: 2,
          last_message_id: messageNumber(2),
          last_position: 2,
        },
        {
          group_id: otherGroupId,
          head_seq: 1,
          message_count: 1,
          last_message_id: messageNumber(3),
          last_position: 5,
        },
      ],
    ));

  test('numbers only messages in ordinals', () =>
    given(said(1), edited(1, 'new'), said(2), reacted(1), said(3)).then('messages', 'seq, ordinal', [
      { seq: 1, ordinal: 1 },
      { seq: 3, ordinal: 2 },
      { seq: 5, ordinal: 3 },
    ]));

  test('records the creator of the group for each message, in any batch', () =>
    given(groupCreated, said(1), said(2), said(3, ada, 'x', otherGroupId)).then(
      'messages',
      'seq, owner_id, text',
      [
        { seq: 1, owner_id: acme.userId, text: 'message 1' },
        { seq: 1, owner_id: null, text: 'x' },
        { seq: 2, owner_id: acme.userId, text: 'message 2' },
      ],
    ));

  test('drops the text of a removed caption, also from search', () =>
    given(said(1, ada, 'caption'), said(2), edited(1, null), edited(2, 'new'), edited(2, null)).then(
      'messages',
      'seq, text, terms, edited_at is not null as edited',
      [
        { seq: 1, text: null, terms: null, edited: true },
        { seq: 2, text: null, terms: null, edited: true },
      ],
    ));

  test('keeps the text unchanged', () =>
    given(
      said(1, ada, 'a "quoted", {braced} \\ NULL, 👩‍💻\nline'),
      said(2, ada, 'NULL'),
      said(3, ada, null),
    ).then('messages', 'seq, text', [
      { seq: 1, text: 'a "quoted", {braced} \\ NULL, 👩‍💻\nline' },
      { seq: 2, text: 'NULL' },
      { seq: 3, text: null },
    ]));

  test('finds a message by its current words, and a deleted one by none', () =>
    given(
      said(1, ada, 'Büro: full-stack'),
      said(2, ada, '👍'),
      said(3, ada, 'gone'),
      said(4, ada, 'one'),
      said(5, ada, null),
      edited(4, 'two'),
      edited(2, 'three'),
      edited(1, 'Büro'),
      deleted(3),
      reacted(1),
    ).then('messages', 'seq, terms::text', [
      { seq: 1, terms: "'büro':1 '~buro':1" },
      { seq: 2, terms: "'three':1" },
      { seq: 3, terms: null },
      { seq: 4, terms: "'two':1" },
      { seq: 5, terms: null },
    ]));

  test('keeps the latest of many edits', () =>
    given(said(1), edited(1, 'one'), edited(1, 'two'), edited(1, 'three')).then(
      'messages',
      'text, edited_at, changed_seq',
      [{ text: 'three', edited_at: new Date(at(4)), changed_seq: 4 }],
    ));

  test('keeps the place of a deleted message without its text', () =>
    given(said(1), said(2), edited(1, 'new'), deleted(1)).then('messages', text, [
      { seq: 1, text: null, edited: true, deleted: true, changed_seq: 4 },
      { seq: 2, text: 'message 2', edited: false, deleted: false, changed_seq: 2 },
    ]));

  test('ignores a late edit of a deleted message', () =>
    given(said(1), deleted(1), edited(1, 'too late'), deleted(1), reacted(1)).then('messages', text, [
      { seq: 1, text: null, edited: false, deleted: true, changed_seq: 2 },
    ]));

  test('lists reactions in the order in which they were added', () =>
    given(said(1), reacted(1), reacted(1, '🎉'), reacted(1, '👍', ada), reacted(1)).then(
      'reactions',
      reactions,
      [
        { emoji: '🎉', user_id: bob.userId, seq: 3 },
        { emoji: '👍', user_id: ada.userId, seq: 4 },
        { emoji: '👍', user_id: bob.userId, seq: 2 },
      ],
    ));

  test('treats a reaction that was removed and added again as new', () =>
    given(said(1), reacted(1), unreacted(1), reacted(1), reacted(1)).then('reactions', reactions, [
      { emoji: '👍', user_id: bob.userId, seq: 4 },
    ]));

  test('drops a removed reaction', () =>
    given(said(1), reacted(1), unreacted(1), unreacted(1, '🎉')).then('reactions', reactions, []));

  test('drops the reactions of a deleted message and accepts no more', () =>
    given(said(1), reacted(1), deleted(1), reacted(1, '🎉'), unreacted(1)).then('reactions', reactions, []));

  test('is not affected by an edit between reactions', () =>
    given(said(1), reacted(1), edited(1, 'new'), reacted(1, '🎉'), unreacted(1)).then(
      'reactions',
      reactions,
      [{ emoji: '🎉', user_id: bob.userId, seq: 4 }],
    ));

  test('ignores events about a message of another group', () =>
    given(said(1, ada, 'x', otherGroupId), edited(1, 'foreign'), reacted(1)).then('messages', text, [
      { seq: 1, text: 'x', edited: false, deleted: false, changed_seq: 1 },
    ]));
});
