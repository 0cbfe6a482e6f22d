import { apply } from '../../../src/commands/application/apply.ts';
import { changeApplicationStatus } from '../../../src/commands/application/change-application-status.ts';
import { withdrawApplication } from '../../../src/commands/application/withdraw-application.ts';
import { addMember } from '../../../src/commands/chat-group/add-member.ts';
import { changeKind } from '../../../src/commands/chat-group/change-kind.ts';
import { closeRoom } from '../../../src/commands/chat-group/close-room.ts';
import { openThread } from '../../../src/commands/chat-group/open-thread.ts';
import { removeMember } from '../../../src/commands/chat-group/remove-member.ts';
import type { ReviewStatus } from '../../../src/events/application.ts';
import type { UserId } from '../../../src/events/ids.ts';
import {
  acme,
  ada,
  adaAppliedPrivately,
  applicationId,
  bob,
  dismissed,
  eve,
  event,
  groupCreated,
  groupId,
  hired,
  interviewer,
  jobId,
  jobPosted,
  moved,
  otherJobId,
  privateJobPosted,
  privately,
  recruiter,
  registered,
  rival,
  teamCreated,
  thread,
  threadId,
  viewer,
} from '../../support/language/example-events.ts';
import { given } from '../../support/language/given.ts';

const about = { groupId: threadId, jobId, applicationId, applicantId: ada.userId };
const closed = event('GroupClosed', { groupId: threadId });
const reopened = event('GroupReopened', { groupId: threadId });
const joined = (userId: UserId) =>
  event('MemberJoined', { groupId: threadId, userId, role: userId === acme.userId ? 'admin' : 'member' });
const left = (userId: UserId) => event('MemberLeft', { groupId: threadId, userId });
/** The time of the decisions is 2026-01-02T03:04:05.678Z. */
const past = '2026-01-02T03:04:05.678Z';
const future = '2026-01-02T03:04:05.679Z';
const decided = (threadClosesAt: string, status: ReviewStatus = 'rejected') =>
  event('ApplicationStatusChanged', { ...privately, status, reason: null, threadClosesAt });
const jobClosed = (roomsCloseAt: string) => event('JobClosed', { jobId, groupId, roomsCloseAt });
const people = [acme, ada, bob, eve, rival, recruiter, interviewer, viewer].map((person) =>
  registered(person),
);
const team = [
  hired(recruiter, 'recruiter', [jobId]),
  hired(interviewer, 'interviewer'),
  hired(viewer, 'viewer'),
];

describe('a private application', () => {
  test('gets a thread of its own', () =>
    given(privateJobPosted)
      .as(ada)
      .when(apply, { applicationId, jobId, applicantId: ada.userId, coverLetter: 'I build engines' })
      .then([
        event('ApplicationSubmitted', {
          ...adaAppliedPrivately.data,
          groupId: expect.not.stringMatching(groupId) as unknown as typeof threadId,
        }),
      ]));

  const to = (status: ReviewStatus) => ({ jobId, applicantId: ada.userId, status, replyDays: 14 });
  test.each(['rejected', 'hired'] as const)('that is %s says when its thread closes', (status) =>
    given(privateJobPosted, adaAppliedPrivately)
      .as(acme)
      .when(changeApplicationStatus, to(status))
      .then([decided('2026-01-16T03:04:05.678Z', status)]),
  );

  test('in review has no such time', () =>
    given(privateJobPosted, adaAppliedPrivately)
      .as(acme)
      .when(changeApplicationStatus, to('interview'))
      .then([event('ApplicationStatusChanged', { ...privately, status: 'interview', reason: null })]));

  test('that is withdrawn stays about its thread', () =>
    given(adaAppliedPrivately)
      .as(ada)
      .when(withdrawApplication, { jobId, applicantId: ada.userId })
      .then([event('ApplicationWithdrawn', privately)]));
});

describe('a thread', () => {
  test('is opened for the applicant and the company that posted the job', () =>
    given(privateJobPosted).as('system').when(openThread, about).then(thread));

  test('that is open stays as it is', () =>
    given(privateJobPosted, ...thread)
      .as('system')
      .when(openThread, about)
      .thenNothing());

  test('that was closed is opened again', () =>
    given(privateJobPosted, ...thread, closed)
      .as('system')
      .when(openThread, about)
      .then([reopened]));

  test('lets an applicant who left come back', () =>
    given(privateJobPosted, ...thread, closed, left(ada.userId))
      .as('system')
      .when(openThread, about)
      .then([reopened, joined(ada.userId)]));

  test('stays closed once the time of the job’s rooms is over', () =>
    given(privateJobPosted, jobClosed(past), ...thread, closed)
      .as('system')
      .when(openThread, about)
      .thenNothing());

  test.each([
    ['its company', acme],
    ['its applicant', ada],
  ])('is not opened by %s', (_, actor) =>
    given(privateJobPosted).as(actor).when(openThread, about).thenRejects('ROLE_NOT_ALLOWED'),
  );

  test('is not opened without a job', () =>
    given().as('system').when(openThread, about).thenRejects('JOB_NOT_FOUND'));

  test.each([
    ['another applicant', bob],
    ['a stranger', eve],
    ['another company', rival],
  ])('is not entered by %s, whoever adds them', (_, { userId }) => {
    for (const actor of [acme, 'system'] as const)
      given(...people, ...thread)
        .as(actor)
        .when(addMember, { groupId: threadId, userId })
        .thenRejects('USER_NOT_FOUND');
  });

  test.each([
    ['an owner', acme, []],
    ['a recruiter of the job', recruiter, []],
    [
      'a recruiter of another job who was added',
      recruiter,
      [moved(recruiter, 'recruiter', [otherJobId]), joined(recruiter.userId)],
    ],
  ])('is entered by one of the company’s people whom %s adds', (_, actor, since) =>
    given(...people, ...team, ...thread, ...since)
      .as(actor)
      .when(addMember, { groupId: threadId, userId: interviewer.userId })
      .then([joined(interviewer.userId)]),
  );

  test.each([
    ['its applicant', ada, 'NOT_GROUP_ADMIN'],
    ['an interviewer to whom it is assigned', interviewer, 'NOT_GROUP_ADMIN'],
    ['a viewer', viewer, 'NOT_GROUP_ADMIN'],
    ['another company', rival, 'GROUP_NOT_FOUND'],
  ] as const)('is not opened to others by %s', (_, actor, code) =>
    given(
      ...people,
      ...team,
      ...thread,
      event('ThreadAssigned', { groupId: threadId, assigneeId: interviewer.userId }),
    )
      .as(actor)
      .when(addMember, { groupId: threadId, userId: recruiter.userId })
      .thenRejects(code),
  );

  test('is not entered by a former teammate', () =>
    given(...people, ...team, dismissed(viewer), ...thread)
      .as(acme)
      .when(addMember, { groupId: threadId, userId: viewer.userId })
      .thenRejects('USER_NOT_FOUND'));

  test('loses one of the company’s people who was added and leaves, or is removed', () => {
    const added = [...people, ...team, ...thread, joined(interviewer.userId)];
    const gone = { groupId: threadId, userId: interviewer.userId };
    given(...added)
      .as(interviewer)
      .when(removeMember, gone)
      .then([left(interviewer.userId)]);
    given(...added)
      .as(recruiter)
      .when(removeMember, gone)
      .then([event('MemberRemoved', gone)]);
    given(...people, ...team, ...thread)
      .as(acme)
      .when(removeMember, gone)
      .thenRejects('MEMBER_NOT_FOUND');
  });

  test('lets its applicant back in', () =>
    given(...people, ...thread, left(ada.userId))
      .as(acme)
      .when(addMember, { groupId: threadId, userId: ada.userId })
      .then([joined(ada.userId)]));

  test('keeps its applicant, also against the company', () => {
    for (const actor of [acme, 'system'] as const)
      given(...thread)
        .as(actor)
        .when(removeMember, { groupId: threadId, userId: ada.userId })
        .thenRejects('APPLICANT_STAYS');
  });

  test('can be left by its applicant', () =>
    given(...thread)
      .as(ada)
      .when(removeMember, { groupId: threadId, userId: ada.userId })
      .then([left(ada.userId)]));
});

describe('the room of a team', () => {
  test.each([
    ['an applicant of the job', ada],
    ['a stranger', eve],
    ['another company', rival],
  ])('is not entered by %s, whoever adds them', (_, { userId }) => {
    for (const actor of [acme, 'system'] as const)
      given(...people, adaAppliedPrivately, teamCreated)
        .as(actor)
        .when(addMember, { groupId, userId })
        .thenRejects('USER_NOT_FOUND');
  });

  test('comes of the group of a job whose conversations become private', () =>
    given(groupCreated)
      .as('system')
      .when(changeKind, { groupId, kind: 'team', historyFrom: 'start' })
      .then([event('GroupKindChanged', { groupId, kind: 'team', historyFrom: 'start' })]));

  test('is closed to applicants from then on', () =>
    given(...people, groupCreated, event('GroupKindChanged', { groupId, kind: 'team', historyFrom: 'start' }))
      .as(acme)
      .when(addMember, { groupId, userId: ada.userId })
      .thenRejects('USER_NOT_FOUND'));

  test('does not change its kind for a user, nor without being there', () => {
    const change = { groupId, kind: 'job', historyFrom: 'start' } as const;
    given(teamCreated).as(acme).when(changeKind, change).thenRejects('ROLE_NOT_ALLOWED');
    given().as('system').when(changeKind, change).thenRejects('GROUP_NOT_FOUND');
  });
});

describe('closing rooms', () => {
  const history = [privateJobPosted, adaAppliedPrivately, ...thread, teamCreated];
  const ofAda = { groupId: threadId, jobId, applicantId: ada.userId };
  const ofTheTeam = { groupId, jobId, applicantId: null };

  test('a thread closes when its time after the decision is over', () =>
    given(...history, decided(past))
      .as('system')
      .when(closeRoom, ofAda)
      .then([closed]));

  test('a thread stays open until then', () =>
    given(...history, decided(future))
      .as('system')
      .when(closeRoom, ofAda)
      .thenNothing());

  test('a thread stays open when the decision was taken back', () =>
    given(
      ...history,
      decided(past),
      event('ApplicationReconsidered', { ...privately, status: 'offer', reason: null }),
    )
      .as('system')
      .when(closeRoom, ofAda)
      .thenNothing());

  test('threads and the team’s room close when the time after the job was closed is over', () => {
    given(...history, jobClosed(past))
      .as('system')
      .when(closeRoom, ofAda)
      .then([closed]);
    given(...history, jobClosed(past))
      .as('system')
      .when(closeRoom, ofTheTeam)
      .then([event('GroupClosed', { groupId })]);
  });

  test('they stay open until then', () => {
    for (const room of [ofAda, ofTheTeam])
      given(...history, jobClosed(future))
        .as('system')
        .when(closeRoom, room)
        .thenNothing();
  });

  test('a closed room stays closed', () =>
    given(...history, decided(past), closed)
      .as('system')
      .when(closeRoom, ofAda)
      .thenNothing());

  test('the group of a job does not close this way', () =>
    given(jobPosted, groupCreated, jobClosed(past)).as('system').when(closeRoom, ofTheTeam).thenNothing());

  test('no user closes a room before its time, and no room that is not there closes', () => {
    given(...history, decided(past))
      .as(acme)
      .when(closeRoom, ofAda)
      .thenRejects('ROLE_NOT_ALLOWED');
    given(privateJobPosted).as('system').when(closeRoom, ofAda).thenRejects('GROUP_NOT_FOUND');
  });
});
