import { AggregateLoader } from '../../../../src/commands/aggregate-cache.ts';
import type { Actor } from '../../../../src/commands/command.ts';
import { standardPreferences } from '../../../../src/commands/account/account.ts';
import { FileId, UserId } from '../../../../src/events/ids.ts';
import type { NotificationFacts } from '../../../../src/notifications/deliver/notification-facts.ts';
import { createCredentials } from '../../../../src/adapters/postgres/tables/credentials.ts';
import { createNotificationFacts } from '../../../../src/adapters/postgres/notifications/notification-facts.ts';
import { createPool } from '../../../../src/adapters/postgres/connection.ts';
import { NotCaughtUp } from '../../../../src/projections/projection.ts';
import { deleted, edited, messageNumber, said } from '../../../support/language/conversation.ts';
import {
  acme,
  ada,
  adaApplied,
  adaIs,
  adaWithdrew,
  applicationId,
  bob,
  eve,
  event,
  group,
  groupId,
  jobPosted,
  otherGroupId,
  posting,
  registered,
  removed,
  uuid,
} from '../../../support/language/example-events.ts';
import { happened } from '../../../support/language/history.ts';
import { type ReadSide, openReadSide } from '../../../support/stages/read-side.ts';

let side: ReadSide;
let pool: ReturnType<typeof createPool>;
let facts: NotificationFacts;

beforeEach(async () => {
  side = await openReadSide();
  const { url, log, store, projections } = side;
  pool = createPool({ url, max: 2, applicationName: 'test', log });
  const loader = new AggregateLoader(store, new Map());
  facts = createNotificationFacts({
    ...{ pool, store, loader, accountLoader: loader },
    progress: projections.progress,
  });
  await side.happened(registered(acme, 'Acme'), registered(ada), registered(bob, 'Bob'), jobPosted, ...group);
});
afterEach(async () => {
  await pool.end();
  await side.close();
});

const message = async (n: number, { userId }: Pick<Actor, 'userId'> = bob) =>
  (await facts.messages(userId, [messageNumber(n)])).get(messageNumber(n));

describe('the facts about a message', () => {
  test('reflect its current state and the current names', async () => {
    await side.happened(
      said(1),
      edited(1, 'Hello again'),
      event('ProfileChanged', { userId: ada.userId, displayName: 'Ada Lovelace' }),
    );
    expect(await message(1)).toEqual({
      messageId: messageNumber(1),
      groupId,
      groupName: 'Engineer',
      senderName: 'Ada Lovelace',
      text: 'Hello again',
      fileNames: [],
      isDeleted: false,
      isRead: false,
    });
  });

  test('tell whether this recipient has read it', async () => {
    await side.happened(said(1), said(2), said(3));
    await side.readMarkers.move(groupId, bob, 2);
    expect(await message(1)).toMatchObject({ isRead: true });
    expect(await message(2)).toMatchObject({ isRead: true });
    expect(await message(3)).toMatchObject({ isRead: false });
    expect(await message(1, acme)).toMatchObject({ isRead: false });
  });

  test('reflect its deletion as soon as the log contains it', async () => {
    await side.happened(said(1));
    await happened(side.store, deleted(1));
    expect(await message(1)).toMatchObject({ isDeleted: true, text: null });
  });

  test('are missing for those for whom it does not exist, because they joined later', async () => {
    const carol = { userId: UserId.parse(uuid(0xc4)) };
    await side.happened(
      event('GroupKindChanged', { groupId, kind: 'job', historyFrom: 'joined' }),
      said(1),
      event('MemberJoined', { groupId, ...carol, role: 'member' }),
      said(2),
    );
    expect(await message(1, carol)).toBeUndefined();
    expect(await message(2, carol)).toMatchObject({ text: 'message 2' });
    expect(await message(1, bob)).toMatchObject({ text: 'message 1' });
  });

  test('are missing when it does not exist', async () => expect(await message(1)).toBeUndefined());

  test('are read for many messages at once', async () => {
    await side.happened(said(1), said(2), said(3));
    const all = await facts.messages(bob.userId, [messageNumber(3), messageNumber(1), messageNumber(9)]);
    expect([...all.keys()].toSorted()).toEqual([messageNumber(1), messageNumber(3)]);
  });

  test('contain the names of its files, in order, without refused ones', async () => {
    const upload = (n: number, name: string) => {
      const subject = { fileId: FileId.parse(uuid(0x600 + n)), groupId, uploaderId: ada.userId };
      const request = { name, contentType: 'text/plain', size: 1, sha256: null };
      return {
        ...subject,
        requested: event('FileUploadRequested', {
          ...subject,
          ...request,
          sendBy: '2026-01-03T02:04:05.678Z',
        }),
        refused: event('FileRefused', { ...subject, reason: 'infected', signature: 'Eicar' }),
      };
    };
    const [cv, virus, photo] = [upload(3, 'cv.txt'), upload(2, 'virus.exe'), upload(1, 'photo.png')];
    const { data } = said(1, ada, null);
    const fileIds = [cv.fileId, virus.fileId, photo.fileId];
    await side.happened(
      ...[cv, virus, photo].map(({ requested }) => requested),
      event('MessageSent', { ...data, fileIds }),
      virus.refused,
    );
    expect(await message(1)).toMatchObject({ text: null, fileNames: ['cv.txt', 'photo.png'] });
  });
});

describe('the facts about an application', () => {
  const seenFrom = async (eventId: string) =>
    (await facts.applications(ada.userId, [{ eventId, applicationId }])).get(eventId);

  test('contain the applicant, the job and the status', async () => {
    const [submitted] = await side.happened(adaApplied);
    expect(await seenFrom(submitted!.id)).toEqual({
      eventId: submitted!.id,
      groupId,
      jobTitle: posting.title,
      companyName: 'Acme',
      applicantName: 'Ada',
      status: 'submitted',
      reason: null,
      isSuperseded: false,
    });
  });

  test('contain the name that the company has now', async () => {
    const [submitted] = await side.happened(
      adaApplied,
      event('CompanyRenamed', { companyId: acme.userId, name: 'Acme Robotics' }),
    );
    expect(await seenFrom(submitted!.id)).toMatchObject({ companyName: 'Acme Robotics' });
  });

  test('tell whether it has changed since', async () => {
    const [submitted, first, second] = await side.happened(
      adaApplied,
      adaIs('screening'),
      adaIs('interview', 'We liked it'),
    );
    expect(await seenFrom(submitted!.id)).toMatchObject({ isSuperseded: true });
    expect(await seenFrom(first!.id)).toMatchObject({ isSuperseded: true });
    expect(await seenFrom(second!.id)).toMatchObject({
      isSuperseded: false,
      status: 'interview',
      reason: 'We liked it',
    });
    await side.happened(adaWithdrew);
    expect(await seenFrom(second!.id)).toMatchObject({ isSuperseded: true, status: 'withdrawn' });
  });
});

describe('the facts about a recipient', () => {
  test('contain name and preferences from the log', async () => {
    const preferences = { ...standardPreferences, email: false, muted: [groupId] };
    const { userId } = bob;
    expect(await facts.recipient(userId)).toEqual({ displayName: 'Bob', preferences: standardPreferences });
    await happened(side.store, event('NotificationPreferencesSet', { userId, preferences }));
    expect(await facts.recipient(userId)).toEqual({ displayName: 'Bob', preferences });
    expect(await facts.recipient(eve.userId)).toBeUndefined();
  });

  test('contain the groups with a membership', async () => {
    const both = [groupId, otherGroupId];
    expect([...(await facts.groupsOf(bob.userId, both))]).toEqual([groupId]);
    await happened(side.store, removed(bob));
    expect([...(await facts.groupsOf(bob.userId, both))]).toEqual([]);
  });

  test('contain the address once it is verified, and not while the account is suspended', async () => {
    const credentials = createCredentials(pool);
    await credentials.add({
      userId: bob.userId,
      email: 'bob@example.org',
      passwordHash: 'x',
      role: 'applicant',
      displayName: 'Bob',
    });
    expect(await facts.emailAddress(bob.userId)).toBeUndefined();
    await credentials.confirmEmail(bob.userId, 'bob@example.org');
    expect(await facts.emailAddress(bob.userId)).toBe('bob@example.org');
    expect(await facts.emailAddress(eve.userId)).toBeUndefined();
    await credentials.suspend(bob.userId);
    expect(await facts.emailAddress(bob.userId)).toBeUndefined();
    await credentials.restore(bob.userId);
    expect(await facts.emailAddress(bob.userId)).toBe('bob@example.org');
  });
});

test('Facts are not read from read models that lag', async () => {
  await side.projections.stop();
  const [, applied] = await happened(side.store, said(1), adaApplied);
  await expect(message(1)).rejects.toThrow(NotCaughtUp);
  await expect(facts.applications(ada.userId, [{ eventId: applied!.id, applicationId }])).rejects.toThrow(
    NotCaughtUp,
  );
});
