import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DomainEvent, type EventType, eventSchemas } from '../../src/events/domain-event.ts';
import {
  UNKNOWN,
  UnreadableEvent,
  asStored,
  fromStored,
  toStored,
  upcasters,
} from '../../src/events/stored-events.ts';
import {
  accessGranted,
  accountErased,
  acme,
  ada,
  adaApplied,
  adaIs,
  adaReconsidered,
  adaReturned,
  adaWithdrew,
  cleared,
  erasureRequested,
  erasureWithdrawn,
  event,
  fileRefused,
  grantId,
  groupClosed,
  groupCreated,
  groupId,
  helloSent,
  invitationId,
  holdPlaced,
  holdReleased,
  jobClosed,
  jobId,
  jobPosted,
  joined,
  left,
  messageId,
  noteAdded,
  noteDeleted,
  posting,
  registered,
  removed,
  rival,
  subject,
  teammateInvited,
  teammateJoined,
  uploadRequested,
  uploaded,
  userSuspended,
} from '../support/language/example-events.ts';

/** One example of every event. A new event without one fails to compile. */
const examples: { [T in EventType]: DomainEvent } = {
  AccountRegistered: registered(ada),
  ProfileChanged: event('ProfileChanged', { userId: ada.userId, displayName: 'Countess' }),
  NotificationPreferencesSet: event('NotificationPreferencesSet', {
    userId: ada.userId,
    preferences: {
      email: true,
      push: false,
      muted: [groupId],
      quietHours: { start: '22:00', end: '07:00', timeZone: 'Europe/Berlin' },
      digestMinutes: 15,
    },
  }),
  CompanyRenamed: event('CompanyRenamed', { companyId: acme.userId, name: 'Acme Robotics' }),
  TeammateInvited: teammateInvited,
  InvitationRevoked: event('InvitationRevoked', { companyId: acme.userId, invitationId }),
  TeammateJoined: teammateJoined,
  TeammateChanged: event('TeammateChanged', {
    ...{ companyId: acme.userId, userId: rival.userId, role: 'viewer', jobIds: [jobId] },
  }),
  TeammateRemoved: event('TeammateRemoved', { companyId: acme.userId, userId: rival.userId }),
  JobPosted: jobPosted,
  JobDetailsChanged: event('JobDetailsChanged', { jobId, ...posting, title: 'Pilot' }),
  JobConversationsChanged: event('JobConversationsChanged', {
    ...{ jobId, groupId, conversations: 'private', historyFrom: 'joined' },
  }),
  JobConversationsFixed: event('JobConversationsFixed', { jobId }),
  JobClosed: jobClosed,
  ApplicationSubmitted: adaApplied,
  ApplicationWithdrawn: adaWithdrew,
  ApplicationResubmitted: adaReturned,
  ApplicationStatusChanged: adaIs('rejected', 'Filled'),
  ApplicationReconsidered: adaReconsidered('interview', 'Not filled'),
  ApplicationAssigned: event('ApplicationAssigned', { ...subject, assigneeId: acme.userId }),
  NoteAdded: noteAdded,
  NoteDeleted: noteDeleted,
  ChatGroupCreated: groupCreated,
  MemberJoined: joined(ada),
  MemberLeft: left(ada),
  MemberRemoved: removed(ada),
  GroupKindChanged: event('GroupKindChanged', { groupId, kind: 'team', historyFrom: 'start' }),
  GroupClosed: groupClosed,
  GroupReopened: event('GroupReopened', { groupId }),
  ThreadAssigned: event('ThreadAssigned', { groupId, assigneeId: acme.userId }),
  MessageSent: helloSent,
  MessageEdited: event('MessageEdited', { groupId, messageId, text: 'Hello, all' }),
  MessageDeleted: event('MessageDeleted', { groupId, messageId }),
  ReactionAdded: event('ReactionAdded', { groupId, messageId, userId: acme.userId, emoji: '👍' }),
  ReactionRemoved: event('ReactionRemoved', { groupId, messageId, userId: acme.userId, emoji: '👍' }),
  FileUploadRequested: uploadRequested,
  FileUploaded: uploaded,
  FileCleared: cleared,
  FileRefused: fileRefused('infected', 'Eicar-Test-Signature'),
  ErasureRequested: erasureRequested,
  ErasureWithdrawn: erasureWithdrawn,
  AccountErased: accountErased,
  AccessGranted: accessGranted,
  AccessEnded: event('AccessEnded', { grantId }),
  HoldPlaced: holdPlaced,
  HoldReleased: holdReleased,
  OperatorActed: userSuspended,
  MonthExpired: event('MonthExpired', { groupId, month: '2026-01' }),
};

describe('stored events', () => {
  test.each(Object.values(examples))('$type is read as written', (example) => {
    const { type, v, data } = toStored(example);
    const onDisk = JSON.parse(JSON.stringify({ type, v, data }));
    expect(fromStored(onDisk)).toStrictEqual({ ...example, v });
  });

  test('have a version that counts the retired shapes of their type', () => {
    for (const example of Object.values(examples))
      expect(toStored(example).v).toBe((upcasters[example.type]?.length ?? 0) + 1);
  });

  test('have a readable fixture for every retired shape', () => {
    for (const [type, steps] of Object.entries(upcasters))
      for (let v = 1; v <= steps.length; v += 1) {
        const fixture = join(import.meta.dirname, `fixtures/${type}.v${v}.json`);
        const stored = JSON.parse(readFileSync(fixture, 'utf8')) as { type: string; v: number; data: object };
        expect(fromStored(stored)).toMatchObject({ type, v: steps.length + 1 });
      }
  });

  test('are upcast from a retired shape step by step', () => {
    upcasters.ProfileChanged = [
      ({ userId, name }: { userId: string; name: string }) => ({ userId, nickname: name }),
      ({ userId, nickname }: { userId: string; nickname: string }) => ({ userId, displayName: nickname }),
    ];
    try {
      const { userId } = ada;
      const newest = { type: 'ProfileChanged', v: 3, data: { userId, displayName: 'Ada' } };
      const read = (v: number, data: object) => fromStored({ type: 'ProfileChanged', v, data });
      expect(read(1, { userId, name: 'Ada' })).toStrictEqual(newest);
      expect(read(2, { userId, nickname: 'Ada' })).toStrictEqual(newest);
      expect(read(3, { userId, displayName: 'Ada' })).toStrictEqual(newest);
      expect(read(4, { userId, displayName: 'Ada' })).toMatchObject({ type: UNKNOWN });
    } finally {
      delete upcasters.ProfileChanged;
    }
  });

  test.each([
    ['version 0', { v: 0 }],
    ['a missing field', { data: {} }],
    ['no data', { data: null }],
  ])('are not read with %s', (_, fault) =>
    expect(() => fromStored({ ...toStored(left(ada)), ...fault })).toThrow(UnreadableEvent),
  );

  test.each([
    ['an unknown type', { type: 'MessagePinned', data: { groupId, by: 'Ada' } }],
    ['a type that every object has', { type: 'constructor' }],
    ['a version from the future', { v: 2, data: { everything: 'else' } }],
  ])('with %s count as written by newer code, and keep their stored shape', (_, change) => {
    const stored = { ...toStored(left(ada)), ...change };
    const read = fromStored(stored);
    expect(read).toMatchObject({ type: UNKNOWN, v: stored.v });
    expect(asStored(read)).toStrictEqual(stored);
  });

  test('keep a field that newer code added to the same version', () => {
    const stored = { type: 'MemberLeft', v: 1, data: { ...left(ada).data, reason: 'bored' } };
    expect(fromStored(stored)).toStrictEqual(stored);
  });

  test.each([
    ['a field that this code does not know', { ...left(ada), data: { ...left(ada).data, reason: 'bored' } }],
    ['a type that this code does not know', { ...left(ada), type: UNKNOWN }],
  ])('are not written with %s', (_, wrong) =>
    expect(() => toStored(wrong as never)).toThrow(UnreadableEvent),
  );

  test('are named in a read error, without their content', () => {
    const secret = { ...left(ada).data, userId: 'secret' };
    const read = () => fromStored({ type: 'MemberLeft', v: 1, data: secret });
    expect(read).toThrow(/^MemberLeft v1: /);
    expect(read).not.toThrow('secret');
  });

  test('have exactly one schema each', () =>
    expect(Object.keys(examples).toSorted()).toStrictEqual(Object.keys(eventSchemas).toSorted()));
});
