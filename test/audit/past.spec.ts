import { messagesAfter, noMessages } from '../../src/audit/conversation.ts';
import { lastRevision } from '../../src/audit/moment.ts';
import { nobody, readersAfter } from '../../src/audit/readers.ts';
import type { Actor } from '../../src/commands/command.ts';
import type { CompanyRole } from '../../src/events/company.ts';
import type { ChatGroupEvent, CompanyEvent, ConversationEvent } from '../../src/events/domain-event.ts';
import type { Recorded } from '../../src/events/event-store.ts';
import { MessageId, type UserId } from '../../src/events/ids.ts';
import {
  acme,
  ada,
  bob,
  event,
  fileId,
  group,
  groupClosed,
  groupCreated,
  groupId,
  helloSent,
  jobId,
  joined,
  left,
  messageId,
  removed,
  rival,
  teammateJoined,
  thread,
  threadId,
} from '../support/language/example-events.ts';
import { at, recorded } from '../support/language/projection.ts';

const secondId = MessageId.parse('00000000-0000-4000-8000-000000000041');
const second = event('MessageSent', {
  ...helloSent.data,
  messageId: secondId,
  text: null,
  fileIds: [fileId],
  replyTo: messageId,
});
const edited = (text: string | null) => event('MessageEdited', { groupId, messageId, text });
const deleted = event('MessageDeleted', { groupId, messageId });
const reacted = (userId = bob.userId) => event('ReactionAdded', { groupId, messageId, userId, emoji: '👍' });
const unreacted = event('ReactionRemoved', { groupId, messageId, userId: bob.userId, emoji: '👍' });

const hello = {
  ...{
    id: messageId,
    seq: 1,
    senderId: ada.userId,
    text: 'Hello',
    fileIds: [],
    replyTo: null,
    reactions: {},
  },
  ...{ occurredAt: at(1), editedAt: null, deletedAt: null },
};

/** Given these events, the messages after each of them are the same whether they come at once or one by one. */
const given = (...history: ConversationEvent[]) => ({
  then(expected: object[], range = { first: 1, last: Infinity }) {
    const events = recorded(history) as Recorded<ConversationEvent>[];
    const oneByOne = events.reduce((messages, each) => messagesAfter(messages, [each], range), noMessages);
    expect([...messagesAfter(noMessages, events, range).values()]).toStrictEqual(expected);
    expect([...oneByOne.values()]).toStrictEqual(expected);
  },
});

describe('a conversation at a moment', () => {
  test('has a message as it was sent', () => given(helloSent).then([hello]));

  test('has the last text of an edited message, and when it got that', () =>
    given(helloSent, edited('Hi'), edited('Hey')).then([{ ...hello, text: 'Hey', editedAt: at(3) }]));

  test('keeps the place of a deleted message, which does not change any more', () =>
    given(helloSent, reacted(), deleted, edited('Hi'), reacted()).then([
      { ...hello, text: null, deletedAt: at(3) },
    ]));

  test('has the reactions that were not taken back, one for each user', () => {
    given(helloSent, reacted(), reacted(), reacted(ada.userId)).then([
      { ...hello, reactions: { '👍': [bob.userId, ada.userId] } },
    ]);
    given(helloSent, reacted(), unreacted, unreacted).then([hello]);
  });

  test('has the files and the reply of a message', () => {
    const reply = { ...hello, id: secondId, seq: 2, text: null, fileIds: [fileId], replyTo: messageId };
    given(helloSent, second).then([hello, { ...reply, occurredAt: at(2) }]);
  });

  test('has the messages of a range only, with their later changes', () => {
    given(helloSent, second, edited('Hi')).then([{ ...hello, text: 'Hi', editedAt: at(3) }], {
      first: 1,
      last: 1,
    });
    given(helloSent, edited('Hi')).then([], { first: 2, last: 2 });
  });
});

describe('the readers of a conversation', () => {
  const readers = (...history: ChatGroupEvent[]) => [
    ...readersAfter(nobody, groupId, recorded(history) as Recorded<ChatGroupEvent>[]).readers.values(),
  ];
  const since = (n: number) => ({ since: at(n), byEvent: recorded([...group, ...group])[n - 1]!.id });

  test('are the one who made the group, and those who joined', () =>
    expect(readers(...group)).toStrictEqual([
      { userId: acme.userId, role: 'admin', ...since(1) },
      { userId: ada.userId, role: 'member', ...since(2) },
      { userId: bob.userId, role: 'member', ...since(3) },
    ]));

  test('are not those who left or were removed', () =>
    expect(readers(...group, left(ada), removed(bob), groupClosed).map(({ userId }) => userId)).toStrictEqual(
      [acme.userId],
    ));

  test('keep their time when their role changes, and get a new one when they return', () => {
    expect(readers(groupCreated, joined(ada), joined(ada, 'admin'))[1]).toMatchObject({
      role: 'admin',
      since: at(2),
    });
    expect(readers(groupCreated, joined(ada), left(ada), joined(ada))[1]).toMatchObject({ since: at(4) });
  });
});

describe('the readers of a private conversation', () => {
  type Event = ChatGroupEvent | CompanyEvent;
  const readers = (...history: Event[]) => {
    const events = recorded(history) as (Recorded<ChatGroupEvent> | Recorded<CompanyEvent>)[];
    return [...readersAfter(nobody, threadId, events).readers.values()].map(
      ({ userId, role, since }) => `${userId} ${role} ${since}`,
    );
  };
  const line = ({ userId }: Actor, role: string, n: number) => `${userId} ${role} ${at(n)}`;
  const assigned = (assigneeId: UserId | null) => event('ThreadAssigned', { groupId: threadId, assigneeId });
  const becomes = (role: CompanyRole) =>
    event('TeammateChanged', { companyId: acme.userId, userId: rival.userId, role, jobIds: null });
  const gone = event('TeammateRemoved', { companyId: acme.userId, userId: rival.userId });

  test('are its applicant, and the people of the company whose role lets them in', () =>
    expect(readers(teammateJoined, ...thread)).toEqual([
      ...[line(acme, 'admin', 2), line(rival, 'admin', 2), line(ada, 'member', 3)],
    ]));

  test('are those who come into the company later, from then on', () =>
    expect(readers(...thread, teammateJoined)).toContain(line(rival, 'admin', 3)));

  test('are the members alone, where the room of a team becomes a group', () => {
    const created = event('ChatGroupCreated', {
      groupId,
      jobId,
      name: 'Engineer',
      adminId: acme.userId,
      kind: 'team',
    });
    const becomesGroup = event('GroupKindChanged', { groupId, kind: 'job', historyFrom: 'start' });
    expect(readers(created, teammateJoined)).toEqual([line(acme, 'admin', 1), line(rival, 'admin', 2)]);
    expect(readers(created, teammateJoined, becomesGroup)).toEqual([line(acme, 'admin', 1)]);
    const [becomesTeam, bobs] = [
      event('GroupKindChanged', { ...becomesGroup.data, kind: 'team' }),
      joined(bob),
    ];
    expect(readers(created, becomesGroup, bobs, becomesTeam)).toEqual([line(acme, 'admin', 1)]);
    expect(readers(created, becomesGroup, bobs, becomesTeam, becomesGroup)).toEqual([
      line(acme, 'admin', 1),
      line(bob, 'member', 5),
    ]);
  });

  test('are not those who were removed from the company', () =>
    expect(readers(...thread, teammateJoined, gone)).toEqual([
      line(acme, 'admin', 1),
      line(ada, 'member', 2),
    ]));

  test('are interviewers while it is assigned to them', () => {
    const before = [...thread, teammateJoined, becomes('interviewer')];
    expect(readers(...before)).not.toContainEqual(expect.stringContaining(rival.userId));
    expect(readers(...before, assigned(rival.userId))).toContain(line(rival, 'member', 5));
    expect(readers(...before, assigned(rival.userId), assigned(null))).toHaveLength(2);
  });
});

describe('the last revision that holds', () => {
  test('is found with few looks, at any place', async () => {
    for (const [head, wanted] of [
      [-1, -1],
      [0, -1],
      [0, 0],
      [1_000_000, -1],
      [1_000_000, 4_711],
      [1_000_000, 1_000_000],
    ] as const) {
      let looks = 0;
      const found = await lastRevision(
        head,
        (revision: number) => revision <= wanted,
        async (revision) => {
          looks += 1;
          return revision;
        },
      );
      expect(found).toBe(wanted);
      expect(looks).toBeLessThanOrEqual(21);
    }
  });
});
