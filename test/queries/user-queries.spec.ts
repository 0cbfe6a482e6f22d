import { ApplicationId, GroupId, UserId } from '../../src/events/ids.ts';
import { said } from '../support/language/conversation.ts';
import {
  accountErased,
  acme,
  ada,
  adaAppliedPrivately,
  bob,
  dismissed,
  eve,
  event,
  hired,
  interviewer,
  jobId,
  otherGroupId,
  privateJobPosted,
  privately,
  recruiter,
  registered,
  rival,
  teamCreated,
  thread,
  threadId,
  uuid,
  viewer,
} from '../support/language/example-events.ts';
import { type ReadSide, openReadSide } from '../support/stages/read-side.ts';

const person = (n: number) => ({ ...eve, userId: UserId.parse(uuid(n)) });
/** Bob has a thread of his own about the same job. */
const bobsThread = GroupId.parse(uuid(0x23));
const bobsApplication = ApplicationId.parse(uuid(0x31));
/** Was a recruiter of Acme, and wrote nothing. */
const former = { ...recruiter, userId: UserId.parse(uuid(0xa7)) };
/** In a group of all: Carol left before Dan came, Fay left after that. */
const [carol, dan, fay] = [person(0xc4), person(0xd4), person(0xf4)];
/** The same where everybody sees what was said from the beginning. */
const openGroup = GroupId.parse(uuid(0x25));

const people = { acme, rival, recruiter, interviewer, viewer, former, ada, bob, eve, carol, dan, fay };
const everybody = Object.values(people).map(({ userId }) => userId);

let side: ReadSide;
beforeAll(async () => {
  side = await openReadSide();
  const groupOfAll = (groupId: GroupId, historyFrom: 'start' | 'joined') => {
    const inGroup = (type: 'MemberJoined' | 'MemberLeft', { userId }: typeof eve) =>
      type === 'MemberLeft'
        ? event(type, { groupId, userId })
        : event(type, { groupId, userId, role: 'member' });
    return [
      event('ChatGroupCreated', { groupId, jobId: null, name: 'All', adminId: carol.userId, historyFrom }),
      inGroup('MemberJoined', fay),
      inGroup('MemberLeft', carol),
      inGroup('MemberJoined', dan),
      inGroup('MemberLeft', fay),
    ];
  };
  await side.happened(
    ...Object.entries(people).map(([name, who]) => registered(who, name)),
    ...[privateJobPosted, teamCreated, adaAppliedPrivately, ...thread],
    event('ApplicationSubmitted', {
      ...{ ...privately, applicationId: bobsApplication, groupId: bobsThread, applicantId: bob.userId },
      coverLetter: null,
    }),
    event('ChatGroupCreated', {
      ...{ groupId: bobsThread, jobId, name: 'Engineer', adminId: acme.userId, kind: 'thread' },
      ...{ applicationId: bobsApplication, applicantId: bob.userId },
    }),
    event('MemberJoined', { groupId: bobsThread, userId: bob.userId, role: 'member' }),
    ...[hired(recruiter, 'recruiter'), hired(interviewer, 'interviewer'), hired(viewer, 'viewer', [])],
    ...[hired(former, 'recruiter'), dismissed(former)],
    said(1, recruiter, 'When could we meet?', threadId),
    ...groupOfAll(otherGroupId, 'joined'),
  );
}, 60_000);
afterAll(() => side?.close());

/** The names that somebody gets who asks for everybody. */
async function knownTo({ userId }: typeof eve): Promise<string[]> {
  const { data } = await side.queries.listUsers({ userId, ids: everybody });
  return data.map(({ displayName }) => displayName).toSorted();
}

describe('the names of users', () => {
  test('are for an applicant those of its thread, as the list of members shows it, and of companies', async () => {
    expect(await knownTo(ada)).toEqual(['acme', 'ada', 'recruiter']);
    expect(await knownTo(bob)).toEqual(['acme', 'bob']);
  });

  test('are for the company’s people those of the threads that they may read, and of each other', async () => {
    const team = ['acme', 'former', 'interviewer', 'recruiter', 'viewer'];
    for (const who of [acme, recruiter])
      expect(await knownTo(who)).toEqual([...team, 'ada', 'bob'].toSorted());
    for (const who of [interviewer, viewer]) expect(await knownTo(who)).toEqual(team);
  });

  test('are for strangers, and for who was removed, none but those of companies that have posted jobs', async () => {
    expect(await knownTo(eve)).toEqual(['acme', 'eve']);
    expect(await knownTo(rival)).toEqual(['acme', 'rival']);
    expect(await knownTo(former)).toEqual(['acme', 'former']);
  });

  test('are kept of those who have left, but not where they had left before one’s history begins', async () => {
    expect(await knownTo(dan)).toEqual(['acme', 'dan', 'fay']);
    expect(await knownTo(fay)).toEqual(['acme', 'fay']);
    await side.happened(
      ...[
        event('ChatGroupCreated', { groupId: openGroup, jobId: null, name: 'All', adminId: carol.userId }),
        event('MemberLeft', { groupId: openGroup, userId: carol.userId }),
        event('MemberJoined', { groupId: openGroup, userId: dan.userId, role: 'member' }),
      ],
    );
    expect(await knownTo(dan)).toEqual(['acme', 'carol', 'dan', 'fay']);
  });

  test('are as of now, and of the erased what is left of them', async () => {
    await side.happened(
      event('ProfileChanged', { userId: recruiter.userId, displayName: 'Grace' }),
      accountErased,
    );
    expect(await knownTo(acme)).toEqual([
      'Grace',
      '[erased]',
      'acme',
      'bob',
      'former',
      'interviewer',
      'viewer',
    ]);
  });

  test('leave out whom nobody knows', async () =>
    expect(await side.queries.listUsers({ userId: acme.userId, ids: [UserId.parse(uuid(0x99))] })).toEqual({
      data: [],
    }));
});
